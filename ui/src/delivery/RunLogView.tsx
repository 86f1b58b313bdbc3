import { useState } from "react";
import { apiPath } from "../api/client";
import { LongList } from "../controls/LongList";
import { Panel } from "../controls/Panel";
import { Problem } from "../controls/Problem";
import { count } from "../format/units";
import { useWords } from "../words";
import styles from "./delivery.module.css";
import { useRunLog } from "./useRunLog";

const ROW = 20;

/** The log of a run or of one of its tasks, as it is written. It follows the end until somebody looks elsewhere. */
export function RunLogView({ run, task }: { run: string; task: string | null }) {
  const { locale, say } = useWords();
  const log = useRunLog(
    apiPath(`/api/pipelines/runs/${encodeURIComponent(run)}/logs`, { follow: "1", task }),
  );
  const [follow, setFollow] = useState(true);
  const [chosen, setChosen] = useState<number | null>(null);
  const choose = (index: number | null) => {
    setChosen(index);
    if (index !== null) setFollow(false);
  };
  const line = chosen === null ? null : log.at(chosen);
  return (
    <Panel
      title={task === null ? say.delivery.log : `${say.delivery.log}: ${task}`}
      aside={
        <>
          <span className="soft small" role="status">
            {say.delivery.logLines(count(log.count, locale))}
            {log.state === "reading" ? `; ${say.delivery.stillComing}` : ""}
          </span>
          <label className={styles.check}>
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />
            {say.delivery.follow}
          </label>
        </>
      }
    >
      {log.problem ? <Problem problem={log.problem} again={log.again} /> : null}
      {log.count === 0 ? (
        <p className="soft">{say.delivery.noLines}</p>
      ) : (
        <LongList
          label={say.delivery.log}
          count={log.count}
          row={ROW}
          generation={log.count}
          height="26rem"
          chosen={chosen}
          onChoose={choose}
          follow={follow}
          onLookElsewhere={() => setFollow(false)}
          render={(index) => {
            const { task: of = "", step = "", text = "" } = log.at(index) ?? {};
            return (
              <span className={styles.line}>
                <span className="soft">
                  {task === null ? `${of} ` : ""}
                  {step}
                </span>{" "}
                <code>{text}</code>
              </span>
            );
          }}
        />
      )}
      {line ? <pre className={styles.whole}>{line.text}</pre> : null}
    </Panel>
  );
}
