import { useState } from "react";
import { Button } from "../controls/Button";
import { LongList } from "../controls/LongList";
import { useSelection } from "../selection/useSelection";
import { useWords } from "../words";
import { LineDetails } from "./LineDetails";
import { LineRow, ROW } from "./LineRow";
import type { LogLine } from "./line";
import styles from "./logs.module.css";
import { useTail } from "./tailing";

/** Lines as they come, the newest on top. Holding keeps them back without losing any (of the last 10,000). */
export function LiveLines({
  query,
  find,
  onFind,
}: {
  query: string;
  find: string;
  onFind: (text: string) => void;
}) {
  const { say } = useWords();
  const selection = useSelection();
  const [hold, setHold] = useState(false);
  const [line, setLine] = useState<LogLine | null>(null);
  const tail = useTail(query, hold || line !== null);
  const text =
    tail.state === "open"
      ? hold || line !== null
        ? say.logs.held(tail.held)
        : say.logs.following(tail.count)
      : tail.state === "connecting"
        ? say.working
        : `${say.logs.cut} ${tail.reason}`;
  return (
    <div className={styles.found} data-open={line !== null || undefined}>
      <div>
        <div className={styles.state}>
          <span role="status">{text}</span>
          <Button aria-pressed={hold} onClick={() => setHold(!hold)}>
            {hold ? say.logs.goOn : say.logs.hold}
          </Button>
        </div>
        <LongList
          label={say.signals.logs}
          count={tail.count}
          row={ROW}
          chosen={null}
          onChoose={(index) => setLine(index === null ? null : tail.at(index))}
          generation={tail.generation}
          render={(index) => <LineRow line={tail.at(index)} find={find} />}
        />
      </div>
      {line === null ? null : (
        <LineDetails
          line={line}
          selection={selection}
          find={find}
          onFind={onFind}
          close={() => setLine(null)}
        />
      )}
    </div>
  );
}
