import { Link } from "react-router";
import type { Comparison, Story } from "../api/wire";
import { useWords } from "../words";
import { Told } from "../words/telling";
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
      <ol>
        {stories.map((story) => (
          <li key={story.title}>
            <strong>
              <Told text={story.title} />
            </strong>
            <ul>
              {story.causes.slice(0, MOST).map((cause) => (
                <li key={`${cause.rank} ${cause.subject}`}>
                  <span className={styles.causeKind}>{say.causes.kinds[cause.kind] ?? cause.kind}</span>{" "}
                  <Words story={story} rank={cause.rank} comparison={comparison} />
                </li>
              ))}
            </ul>
            {story.links.length > 0 ? <Links of={story.links} /> : null}
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
  const words = <Told text={cause.words} />;
  return finding ? <Link to={evidence(finding)}>{words}</Link> : words;
}

/** Why it belongs together. */
function Links({ of }: { of: string[] }) {
  return (
    <p className="soft small">
      {of.map((words, place) => (
        <span key={words}>
          {place > 0 ? " · " : null}
          <Told text={words} />
        </span>
      ))}
    </p>
  );
}
