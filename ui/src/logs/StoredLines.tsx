import { useState } from "react";
import { Button } from "../controls/Button";
import { LongList } from "../controls/LongList";
import { Problem } from "../controls/Problem";
import { count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { type LineQuestion, linesPath } from "./asking";
import { LineDetails } from "./LineDetails";
import { LineRow, ROW } from "./LineRow";
import styles from "./logs.module.css";
import { type Found, useLines } from "./useLines";

interface Props {
  question: LineQuestion;
  selection: Selection;
  limit: number;
  onFind: (text: string) => void;
}

/** The lines of a question, newest first, as they are found; one of them in detail. */
export function StoredLines({ question, selection, limit, onFind }: Props) {
  const { say } = useWords();
  const found = useLines(linesPath(question, selection.bounds, limit));
  const [chosen, setChosen] = useState<number | null>(null);
  const { lines } = found;
  const line = chosen === null ? null : lines.at(chosen);
  if (found.problem !== null) return <Problem problem={found.problem} again={found.again} />;
  return (
    <div className={styles.found} data-open={line !== null || undefined}>
      <div>
        <State found={found} limit={limit} />
        {lines.count === 0 && found.state === "done" ? (
          <p className={styles.none}>{say.logs.none}</p>
        ) : (
          <LongList
            label={say.signals.logs}
            count={lines.count}
            row={ROW}
            chosen={chosen}
            onChoose={setChosen}
            generation={`${found.generation} ${question.find}`}
            render={(index) => <LineRow line={lines.at(index)} find={question.find} />}
          />
        )}
      </div>
      {line === null ? null : (
        <LineDetails
          line={line}
          selection={selection}
          find={question.find}
          onFind={onFind}
          close={() => setChosen(null)}
        />
      )}
    </div>
  );
}

function State({ found, limit }: { found: Found; limit: number }) {
  const { locale, say } = useWords();
  const { lines, state, progress, stop, again } = found;
  const read = progress ? say.logs.read(count(progress.read.rows, locale)) : "";
  return (
    <div className={styles.state}>
      <span role="status">
        {say.logs.lines(lines.count)}
        {state === "done" && lines.count >= limit ? ` · ${say.logs.limited}` : null}
        {state === "stopped" ? ` · ${say.stopped}` : null}
      </span>
      <span className="soft">{read}</span>
      {state === "reading" ? (
        <>
          <progress aria-label={say.logs.searching} />
          <Button onClick={stop}>{say.stop}</Button>
        </>
      ) : state === "stopped" ? (
        <Button onClick={again}>{say.askAgain}</Button>
      ) : null}
    </div>
  );
}
