import { useId, useState } from "react";
import { Button } from "../controls/Button";
import type { Rollout } from "../rollouts/model";
import { useWords } from "../words";
import type { ServiceReleases } from "./grouping";
import { Ongoing } from "./Ongoing";
import { ReleaseRow } from "./ReleaseRow";
import styles from "./releases.module.css";
import { TimeLine } from "./TimeLine";
import type { Span } from "./timeline";

/** So many releases of a service are listed at first. */
const FIRST = 3;

interface Props {
  group: ServiceReleases;
  span: Span;
  now: number;
  rollouts: Rollout[];
}

/** One service: its time line, what is being rolled out of it, and its releases, newest first. */
export function ServiceCard({ group, span, now, rollouts }: Props) {
  const { say } = useWords();
  const heading = useId();
  const [all, setAll] = useState(false);
  const hidden = group.releases.length - FIRST;
  const shown = all ? group.releases : group.releases.slice(0, FIRST);
  return (
    <section className={styles.service} aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{group.service}</h2>
        <span className="soft small">{say.versions(group.releases.length)}</span>
      </header>
      <TimeLine group={group} span={span} now={now} />
      {rollouts.map((rollout) => (
        <Ongoing key={rollout.id} rollout={rollout} />
      ))}
      <ul className={styles.rows} aria-label={say.releasesOf(group.service)}>
        {shown.map((release) => (
          <ReleaseRow key={release.version} release={release} now={now} />
        ))}
      </ul>
      {hidden > 0 ? (
        <Button quiet aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? say.fewer : say.older(hidden)}
        </Button>
      ) : null}
    </section>
  );
}
