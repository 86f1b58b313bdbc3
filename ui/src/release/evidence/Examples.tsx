import { Link } from "react-router";
import styles from "../release.module.css";

/** Lines as they came: trace ids, log lines, stacks. */
export function Examples({ title, examples }: { title: string; examples: string[] }) {
  if (examples.length === 0) return null;
  return (
    <details className={styles.examples} open>
      <summary>{title}</summary>
      <ul aria-label={title}>
        {[...new Set(examples)].map((example) => (
          <li key={example}>
            {/^[0-9a-f]{32}$/.test(example) ? (
              <Link to={`/explore/traces/${example}`}>
                <code>{example}</code>
              </Link>
            ) : (
              <code>{example}</code>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
