import { Link } from "react-router";
import type { Dot } from "../charts/plugins";
import { Instant } from "../format/Instant";
import { Quantity } from "../format/Quantity";
import { useWords } from "../words";
import styles from "./metrics.module.css";

/** So many are listed: the highest are what a person looks for. */
const MOST = 8;

/** The highest exemplars with the ways to their traces, for whoever does not point at a chart. */
export function ExemplarList({ dots, unit }: { dots: readonly Dot[]; unit: string }) {
  const { say } = useWords();
  if (dots.length === 0) return null;
  const highest = [...dots].sort((a, b) => b.value - a.value).slice(0, MOST);
  const now = Date.now();
  return (
    <details>
      <summary className="small">{say.metrics.highest(dots.length)}</summary>
      <ul className={styles.highest} aria-label={say.metrics.highest(dots.length)}>
        {highest.map((dot) => (
          <li key={`${dot.at} ${dot.trace}`}>
            <Link to={`/explore/traces/${dot.trace}`}>
              <Quantity value={dot.value} unit={unit} />
            </Link>{" "}
            <span className="soft small">
              <Instant at={new Date(dot.at * 1000).toISOString()} now={now} /> {dot.name}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
