import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { Link, useNavigate } from "react-router";
import { questions } from "../api/questions";
import type { Dot } from "../charts/plugins";
import { Answer } from "../controls/Answer";
import { Instant } from "../format/Instant";
import { amount, count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { MOST, readTraceQuestion, tracesPath } from "./asking";
import { precise, type TraceSummary } from "./model";
import styles from "./traces.module.css";

const TimeChart = lazy(() => import("../charts/TimeChart"));

/** The traces that fit: each a point in the chart and a row in the list. */
export function FoundTraces({ selection }: { selection: Selection }) {
  const { say } = useWords();
  const { search, bounds } = selection;
  const question = useMemo(() => readTraceQuestion(search), [search]);
  const asked = questions.traces(tracesPath(question, bounds));
  const answered = useQuery(asked);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.traces.searching}>
      {(traces) =>
        traces.length === 0 ? (
          <p className={styles.none}>{say.traces.none}</p>
        ) : (
          <>
            <TracePoints traces={traces} selection={selection} />
            {traces.length >= MOST ? <p className={styles.limited}>{say.traces.limited(MOST)}</p> : null}
            <TraceTable traces={traces} />
          </>
        )
      }
    </Answer>
  );
}

interface PointsProps {
  traces: TraceSummary[];
  selection: Selection;
  height?: number;
  sync?: string;
}

/** When traces began, and how long they took; a click opens one. */
export function TracePoints({ traces, selection, height = 150, sync }: PointsProps) {
  const { say } = useWords();
  const navigate = useNavigate();
  const dots = useMemo(() => traces.map(dotOf), [traces]);
  const { bounds } = selection;
  const grid = useMemo(
    () => ({
      xs: [bounds.from / 1000, bounds.until / 1000],
      // The longest sets the scale of the axis; nothing is drawn for it.
      ys: [[null, null]],
      names: [""],
    }),
    [bounds],
  );
  return (
    <div className={styles.points}>
      <Suspense fallback={<div style={{ height }} />}>
        <TimeChart
          label={say.traces.points}
          grid={grid}
          unit="ms"
          bounds={bounds}
          dots={dots}
          height={height}
          {...(sync ? { sync } : {})}
          onBrush={selection.zoomTo}
          onDot={(dot) => navigate(`/explore/traces/${dot.trace}`)}
        />
      </Suspense>
    </div>
  );
}

function dotOf(trace: TraceSummary): Dot {
  return {
    at: precise(trace.start) / 1000,
    value: trace.duration_ms,
    trace: trace.trace_id,
    name: trace.root,
    loud: trace.errors > 0,
  };
}

export function TraceTable({ traces, most = MOST }: { traces: TraceSummary[]; most?: number }) {
  const { locale, say } = useWords();
  const longest = Math.max(...traces.map((trace) => trace.duration_ms), 0.001);
  const now = Date.now();
  return (
    <div className={styles.scroll}>
      <table className={styles.list}>
        <thead>
          <tr>
            <th scope="col">{say.traces.began}</th>
            <th scope="col">{say.traces.root}</th>
            <th scope="col">{say.duration}</th>
            <th scope="col" className="right">
              {say.traces.spans}
            </th>
            <th scope="col" className="right">
              {say.traces.errors}
            </th>
            <th scope="col" className={styles.wide}>
              {say.traces.services}
            </th>
          </tr>
        </thead>
        <tbody>
          {traces.slice(0, most).map((trace) => (
            <tr key={trace.trace_id}>
              <td>
                <Instant at={trace.start} now={now} />
              </td>
              <td>
                <Link to={`/explore/traces/${trace.trace_id}`}>
                  <span className="soft">{trace.service}</span> {trace.root}
                </Link>
              </td>
              <td>
                <span className={styles.length}>
                  <i style={{ width: `${(trace.duration_ms / longest) * 100}%` }} />
                  {amount(trace.duration_ms, "ms", locale)}
                </span>
              </td>
              <td className="right">{count(trace.spans, locale)}</td>
              <td className="right">
                {trace.errors > 0 ? (
                  <strong className={styles.bad}>{count(trace.errors, locale)}</strong>
                ) : (
                  "0"
                )}
              </td>
              <td className={styles.wide}>{trace.services.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
