import { useWords } from "../words";
import styles from "./dashboards.module.css";

/** What of a Grafana dashboard could not be taken over. */
export function Lost({ lost }: { lost: string[] }) {
  const { say } = useWords();
  if (lost.length === 0) return null;
  return (
    <details className={styles.lost}>
      <summary>{say.dashboards.lost(lost.length)}</summary>
      <ul aria-label={say.dashboards.lost(lost.length)}>
        {lost.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two panels may lose the same
          <li key={index}>{text}</li>
        ))}
      </ul>
    </details>
  );
}
