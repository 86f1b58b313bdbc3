import type { Finding } from "../api/wire";
import { useWords } from "../words";
import { type ForestAxis, placeOn } from "./forest";
import styles from "./release.module.css";

/** A change as a dot on its interval; the numbers stand beside it. */
export function Interval({ finding, axis }: { finding: Finding; axis: ForestAxis }) {
  const { say } = useWords();
  const percent = (change: number) => `${(placeOn(axis, change) * 100).toFixed(2)}%`;
  const [low, high] = (finding.interval ?? [null, null]).map((end) => end ?? finding.change ?? 0) as [
    number,
    number,
  ];
  return (
    <svg className={styles.interval} aria-hidden="true" width="100%" height="28">
      <title>{say.changeScale}</title>
      <line className={styles.zero} x1={percent(0)} x2={percent(0)} y1="0" y2="28" />
      {finding.change === null ? null : (
        <>
          <line className={styles.rail} x1={percent(0)} x2={percent(finding.change)} y1="14" y2="14" />
          <line className={styles.whisker} x1={percent(low)} x2={percent(high)} y1="14" y2="14" />
          <line className={styles.whisker} x1={percent(low)} x2={percent(low)} y1="9" y2="19" />
          <line className={styles.whisker} x1={percent(high)} x2={percent(high)} y1="9" y2="19" />
          <circle className={styles.dot} cx={percent(finding.change)} cy="14" r="5" />
        </>
      )}
    </svg>
  );
}
