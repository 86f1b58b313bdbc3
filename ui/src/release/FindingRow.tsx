import { Link, useLocation, useSearchParams } from "react-router";
import { changeReleaseAddress } from "../address/release";
import type { Finding } from "../api/wire";
import { change, interval } from "../format/changes";
import { useWords } from "../words";
import { typeOf } from "./evidence/profileTypes";
import { FindingTitle } from "./FindingTitle";
import type { ForestAxis } from "./forest";
import { Interval } from "./Interval";
import { Movement } from "./Movement";
import { anchorOf } from "./ranking";
import styles from "./release.module.css";

/** One finding: what, from how much to how much, and the change with its interval on an axis that all share. */
export function FindingRow({ finding, axis }: { finding: Finding; axis: ForestAxis }) {
  const { locale, say } = useWords();
  const [search] = useSearchParams();
  const { pathname } = useLocation();
  const isFunction = finding.signal === "profiles";
  const address = changeReleaseAddress(
    search,
    isFunction ? { find: finding.subject, frame: null, profile: typeOf(finding) } : {},
  );
  const to = { pathname, search: `?${address}`, hash: isFunction ? "#profiles" : `#${anchorOf(finding)}` };
  return (
    <li className={styles.finding} data-direction={finding.direction}>
      <span className={styles.signal}>{say.signals[finding.signal]}</span>
      <div className={styles.what}>
        <Link to={to} title={say.showEvidence}>
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
