import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import { amount } from "../format/units";
import { type Selection, sameSelection } from "../selection/useSelection";
import { tracesPath } from "../traces/asking";
import { TracePoints } from "../traces/FoundTraces";
import type { TraceSummary } from "../traces/model";
import { useWords } from "../words";
import styles from "./explore.module.css";

/** So many of the slowest traces are named. */
const SHOWN = 6;
/** So many are asked for at a time. */
const ASKED = 500;

/** Traces as points in time, and the slowest by name. */
export function TracesPane({ selection }: { selection: Selection }) {
  const { locale, say } = useWords();
  const asked = questions.traces(newestPath(selection, ""));
  const question = useQuery(asked);
  const newest = question.data ?? NONE;
  // The newest alone would miss a slow minute long before them: those as slow as the slowest tenth are asked for too.
  const slow = slowOf(newest);
  const { data: slower = NONE } = useQuery({
    ...questions.traces(newestPath(selection, `${slow}ms`)),
    enabled: newest.length >= ASKED,
  });
  const all = useMemo(
    () => [...new Map([...newest, ...slower].map((trace) => [trace.trace_id, trace])).values()],
    [newest, slower],
  );
  return (
    <Panel title={say.signals.traces}>
      <Answer question={question} queryKey={asked.queryKey} what={say.traces.searching}>
        {() =>
          all.length === 0 ? (
            <p className="soft">{say.traces.none}</p>
          ) : (
            <>
              <TracePoints traces={all} selection={selection} height={150} sync="explore" />
              <ol className={styles.slowest} aria-label={say.explore.slowest}>
                {all
                  .toSorted((a, b) => b.duration_ms - a.duration_ms)
                  .slice(0, SHOWN)
                  .map((trace) => (
                    <li key={trace.trace_id}>
                      <span className="number">{amount(trace.duration_ms, "ms", locale)}</span>
                      <Link to={`/explore/traces/${trace.trace_id}`}>
                        {trace.service} {trace.root}
                      </Link>
                      {trace.errors > 0 ? (
                        <span className={styles.bad}>{say.traces.errorCount(trace.errors)}</span>
                      ) : null}
                    </li>
                  ))}
              </ol>
            </>
          )
        }
      </Answer>
      <Link className={styles.more} to={sameSelection(selection.search, "/explore/traces")}>
        {say.explore.open}
      </Link>
    </Panel>
  );
}

const NONE: TraceSummary[] = [];

function newestPath({ selector, bounds }: Selection, min: string): string {
  return tracesPath({ selector, operation: "", min, errors: false, q: "" }, bounds, ASKED);
}

/** A duration that a tenth of the traces reach, in whole milliseconds. */
export function slowOf(traces: readonly TraceSummary[]): number {
  const sorted = traces.map((trace) => trace.duration_ms).sort((a, b) => a - b);
  return Math.max(1, Math.floor(sorted[Math.floor(sorted.length * 0.9)] ?? 1));
}
