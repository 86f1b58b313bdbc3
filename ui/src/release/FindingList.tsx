import { useId, useState } from "react";
import type { Finding } from "../api/wire";
import { Button } from "../controls/Button";
import { useWords } from "../words";
import { FindingRow } from "./FindingRow";
import { ForestTicks } from "./ForestTicks";
import type { ForestAxis } from "./forest";
import styles from "./release.module.css";

interface Props {
  title: string;
  findings: Finding[];
  axis: ForestAxis;
  first: number;
}

/** Findings of one direction, the most important first; a few at once. */
export function FindingList({ title, findings, axis, first }: Props) {
  const { say } = useWords();
  const heading = useId();
  const [all, setAll] = useState(false);
  if (findings.length === 0) return null;
  const hidden = findings.length - first;
  return (
    <section aria-labelledby={heading} className={styles.group}>
      <header>
        <h3 id={heading}>{title}</h3>
        <ForestTicks axis={axis} />
      </header>
      <ol className={styles.findings}>
        {(all ? findings : findings.slice(0, first)).map((finding) => (
          <FindingRow
            key={`${finding.signal} ${finding.rank} ${finding.subject}`}
            finding={finding}
            axis={axis}
          />
        ))}
      </ol>
      {hidden > 0 ? (
        <Button quiet aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? say.fewer : say.moreFindings(hidden)}
        </Button>
      ) : null}
    </section>
  );
}
