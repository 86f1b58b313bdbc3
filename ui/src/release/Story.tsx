import { type ReactNode, useId } from "react";
import type { Comparison } from "../api/wire";
import { confidence } from "../format/changes";
import { Instant } from "../format/Instant";
import { amount } from "../format/units";
import { VerdictBadge } from "../verdict/VerdictBadge";
import { useWords } from "../words";
import type { Catalogue } from "../words/en";
import { fill, Told, useTell } from "../words/telling";
import { Causes } from "./Causes";
import { FindingList } from "./FindingList";
import { forestAxis } from "./forest";
import { inDirection } from "./ranking";
import styles from "./release.module.css";
import { afterHeadline } from "./summary";

/** The story first: the verdict, how sure, in a sentence, and what is worse by how much. */
export function Story({ comparison, now, again }: { comparison: Comparison; now: number; again: ReactNode }) {
  const { locale, say } = useWords();
  const heading = useId();
  const { service, baseline, candidate, verdict } = comparison;
  const axis = forestAxis(comparison.findings);
  const worse = inDirection(comparison, "worse");
  const kind = kindOf(comparison, say);
  return (
    <section className={styles.story} data-verdict={verdict} aria-labelledby={heading}>
      <header>
        <VerdictBadge of={verdict} large />
        {comparison.confidence !== null && verdict !== "cannot_tell" ? (
          <span className={styles.sure}>
            {(verdict === "no_worse" ? say.sureNoWorse : say.sure)(confidence(comparison.confidence, locale))}
          </span>
        ) : null}
        <span className={styles.kind} title={kind.long}>
          {kind.short}
        </span>
        <span className={styles.took}>
          <Instant at={candidate.start} now={now} /> – <Instant at={candidate.end} now={now} /> ·{" "}
          {say.judgedIn(amount(comparison.took_seconds, "s", locale))}
        </span>
        {again}
      </header>
      <h2 id={heading}>{say.headline[verdict](service, candidate.version, baseline.version)}</h2>
      <p className={styles.sentence}>
        <Reasons comparison={comparison} />
      </p>
      <Missing comparison={comparison} />
      {verdict === "no_worse" && worse.length === 0 ? <p className="soft">{say.nothingWorse}</p> : null}
      <Causes comparison={comparison} />
      <FindingList title={say.worst} findings={worse} axis={axis} first={6} />
      <FindingList title={say.alsoMoved} findings={inDirection(comparison, "moved")} axis={axis} first={2} />
      <FindingList
        title={say.alsoBetter}
        findings={inDirection(comparison, "better")}
        axis={axis}
        first={2}
      />
      {comparison.notes?.length ? (
        <ul className={styles.notes} aria-label={say.note}>
          {comparison.notes.map((note) => (
            <li key={note}>
              <Told text={note} />
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

/** Why, after a headline that has said the verdict already. */
function Reasons({ comparison }: { comparison: Comparison }) {
  const tell = useTell();
  const reasons = comparison.said?.values.reasons;
  if (typeof reasons === "object") {
    const told = tell(fill(reasons), reasons);
    if (told.lang !== "en") return <span lang={told.lang}>{told.text}</span>;
  }
  return <span lang="en">{afterHeadline(comparison)}</span>;
}

function kindOf({ kind }: Comparison, say: Catalogue): { short: string; long: string } {
  switch (kind) {
    case "canary":
      return { short: say.canary, long: say.canaryLong };
    case "subsets":
      return { short: say.subsets, long: say.subsetsLong };
    case "migration":
      return { short: say.migration, long: say.migrationLong };
    default:
      return { short: say.beforeAfter, long: say.beforeAfterLong };
  }
}

function Missing({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  if (comparison.missing.length === 0) return null;
  return (
    <div className={styles.missing}>
      <h3>{say.missing}</h3>
      <ul>
        {comparison.missing.map((what) => (
          <li key={what}>
            <Told text={what} />
          </li>
        ))}
      </ul>
    </div>
  );
}
