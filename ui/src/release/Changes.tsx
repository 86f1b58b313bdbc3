import type { Comparison } from "../api/wire";
import { Panel } from "../controls/Panel";
import { Instant } from "../format/Instant";
import { useWords } from "../words";
import { Told } from "../words/telling";
import styles from "./release.module.css";

/** What else changed around the time: releases, settings, events, instances; of the service and of those beside it. */
export function Changes({ comparison }: { comparison: Comparison }) {
  const { say } = useWords();
  const changes = comparison.changes ?? [];
  if (changes.length === 0) return null;
  const now = Date.now();
  return (
    <Panel title={say.around.changes} lead={say.around.changesLead}>
      <ol className={styles.changes} aria-label={say.around.changes}>
        {changes.map((change) => (
          <li key={`${change.at} ${change.words}`}>
            <Instant at={change.at} now={now} />
            <span className="soft">{say.around.relations[change.relation] ?? change.relation}</span>
            <Told text={change.words} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}
