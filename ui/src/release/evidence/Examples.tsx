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
            <code>{example}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
