import type { Comparison } from "../api/wire";
import { useWords } from "../words";
import styles from "./charts.module.css";

/** Which line is which version. */
export function Legend({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  return (
    <ul className={styles.legend}>
      <li data-side="baseline">
        {comparison.baseline.version} <span>{say.baseline}</span>
      </li>
      <li data-side="candidate">
        {comparison.candidate.version} <span>{say.candidate}</span>
      </li>
    </ul>
  );
}
