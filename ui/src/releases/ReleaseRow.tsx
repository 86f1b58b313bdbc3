import { Link } from "react-router";
import { releasePath } from "../address/release";
import type { Release } from "../api/wire";
import { confidence } from "../format/changes";
import { Instant } from "../format/Instant";
import { asSentence } from "../release/summary";
import { VerdictBadge } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import { Told } from "../words/telling";
import { judgementOf } from "./grouping";
import styles from "./releases.module.css";
import { isRunning } from "./timeline";

/** One release: its verdict in shape, word and colour, and what was found in a sentence. */
export function ReleaseRow({ release, now }: { release: Release; now: number }) {
  const { locale, say } = useWords();
  const { verdict } = release;
  const comparedWith = verdict?.baseline ?? release.previous;
  return (
    <li className={styles.row}>
      <VerdictBadge of={judgementOf(release)} />
      <Link className={styles.version} to={releasePath(release, verdict?.page)}>
        <span className="hidden">{release.service} </span>
        {release.version}
      </Link>
      <p className={styles.summary}>
        {verdict ? (
          <Told text={asSentence(verdict.summary)} parts={verdict.said} />
        ) : (
          <span className="soft">{release.previous ? say.notAsked : say.firstVersion}</span>
        )}
      </p>
      <ul className={styles.facts}>
        <li>
          {say.firstSeen} <Instant at={release.first_seen} now={now} relative />
        </li>
        <li>
          {isRunning(release, now) ? (
            <strong className={styles.running}>{say.running}</strong>
          ) : (
            <>
              {say.lastSeen} <Instant at={release.last_seen} now={now} relative />
            </>
          )}
        </li>
        <li>{say.instances(release.instances)}</li>
        {verdict?.confidence ? (
          <li>
            {(verdict.verdict === "no_worse" ? say.sureNoWorse : say.sure)(
              confidence(verdict.confidence, locale),
            )}
          </li>
        ) : null}
        {verdict?.rollout ? (
          <li>
            <Link to={`/rollouts/${verdict.rollout}`}>{say.decidedBy(verdict.rollout)}</Link>
          </li>
        ) : null}
        {release.asked_since ? (
          <li>
            <Link to={release.asked_since.page}>
              {say.askedSince(say.verdicts[release.asked_since.verdict])}
            </Link>
          </li>
        ) : null}
        {comparedWith ? <li>{say.comparedWith(comparedWith)}</li> : null}
        <li>{release.signals.map((signal) => say.signals[signal]).join(" · ")}</li>
      </ul>
    </li>
  );
}
