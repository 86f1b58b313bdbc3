import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { type LineQuestion, linesPath } from "../logs/asking";
import { LineRow } from "../logs/LineRow";
import { traceOf } from "../logs/line";
import { Volume } from "../logs/Volume";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import styles from "./explore.module.css";

/** So many lines are shown; the page of the logs has all. */
const SHOWN = 8;

/** How many lines there were, and the newest, the bad ones first if there are any. */
export function LogsPane({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const every: LineQuestion = { selector: selection.selector, find: "", severity: "", pipeline: "" };
  const bad = questions.lines(linesPath({ ...every, severity: "warn" }, selection.bounds, SHOWN));
  const question = useQuery(bad);
  return (
    <Panel title={say.signals.logs}>
      <Volume question={every} selection={selection} height={90} sync="explore" />
      <Answer question={question} queryKey={bad.queryKey} what={say.logs.searching}>
        {(lines) =>
          lines.length === 0 ? (
            <p className="soft">{say.explore.noBadLines}</p>
          ) : (
            <ol className={styles.lines} aria-label={say.explore.badLines}>
              {lines.map((line, index) => {
                const trace = traceOf(line);
                const span = line.metadata.span_id;
                return (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
                  <li key={index}>
                    <LineRow line={line} find="" />
                    {trace ? (
                      <Link to={`/explore/traces/${trace}${span ? `?span=${span}` : ""}`}>
                        {say.logs.trace}
                      </Link>
                    ) : null}
                  </li>
                );
              })}
            </ol>
          )
        }
      </Answer>
      <Link className={styles.more} to={sameSelection(selection.search, "/explore/logs")}>
        {say.explore.open}
      </Link>
    </Panel>
  );
}
