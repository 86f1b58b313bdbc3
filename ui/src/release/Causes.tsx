import { Link } from "react-router";
import type { Comparison, Story } from "../api/wire";
import { useWords } from "../words";
import styles from "./release.module.css";
import { useEvidence } from "./useEvidence";

/** So many causes of a story are named. */
const MOST = 3;

/** What belongs together, and what most likely caused it; only where that says more than the findings themselves. */
export function Causes({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const stories = (comparison.stories ?? []).filter(
    (story) => story.direction === "worse" && story.findings.length > 1,
  );
  if (stories.length === 0) return null;
  return (
    <section className={styles.causes} aria-label={say.causes.title}>
      <h3>{say.causes.title}</h3>
      <ol lang="en">
        {stories.map((story) => (
          <li key={story.title}>
            <strong>{story.title}</strong>
            <ul>
              {story.causes.slice(0, MOST).map((cause) => (
                <li key={`${cause.rank} ${cause.subject}`}>
                  <span className={styles.causeKind}>{say.causes.kinds[cause.kind] ?? cause.kind}</span>{" "}
                  <Words story={story} rank={cause.rank} comparison={comparison} />
                </li>
              ))}
            </ul>
            {story.links.length > 0 ? <p className="soft small">{story.links.join(" · ")}</p> : null}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A cause in words; a link to its evidence where there is a finding about it. */
function Words({ story, rank, comparison }: { story: Story; rank: number; comparison: Comparison }) {
  const evidence = useEvidence();
  const cause = story.causes.find((one) => one.rank === rank);
  const finding = comparison.findings.find((one) => one.rank === cause?.finding);
  if (cause === undefined) return null;
  return finding ? <Link to={evidence(finding)}>{cause.words}</Link> : cause.words;
}
