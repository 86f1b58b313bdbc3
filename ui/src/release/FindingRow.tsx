import { Link } from "react-router";
import type { Finding } from "../api/wire";
import { change, interval } from "../format/changes";
import { useWords } from "../words";
import { FindingTitle } from "./FindingTitle";
import type { ForestAxis } from "./forest";
import { Interval } from "./Interval";
import { Movement } from "./Movement";
import styles from "./release.module.css";
import { useEvidence } from "./useEvidence";

/** One finding: what, from how much to how much, and the change with its interval on an axis that all share. */
export function FindingRow({ finding, axis }: { finding: Finding; axis: ForestAxis }) {
  const { locale, say } = useWords();
  const evidence = useEvidence();
  return (
    <li className={styles.finding} data-direction={finding.direction}>
      <span className={styles.signal}>{say.signals[finding.signal]}</span>
      <div className={styles.what}>
        <Link to={evidence(finding)} title={say.showEvidence}>
          <FindingTitle finding={finding} />
        </Link>
        <span className="soft small">
          <Movement of={finding} />
        </span>
      </div>
      <div className={styles.size}>
        <strong className="number">
          {finding.change === null ? say.isNew : change(finding.change, locale)}
        </strong>
        {finding.interval ? (
          <span className="soft small" title={say.changeScale}>
            {interval(finding.interval, locale)}
          </span>
        ) : null}
      </div>
      <Interval finding={finding} axis={axis} />
    </li>
  );
}
