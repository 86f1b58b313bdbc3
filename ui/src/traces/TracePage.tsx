import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { between } from "../address/window";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { useTitle } from "../app/title";
import { Answer } from "../controls/Answer";
import { Instant } from "../format/Instant";
import { amount, count } from "../format/units";
import { useWords } from "../words";
import { CompareWith } from "./CompareWith";
import { layTrace } from "./layout";
import { serviceOf, type Trace } from "./model";
import { TraceComparison } from "./TraceComparison";
import styles from "./traces.module.css";
import { WaterfallView } from "./WaterfallView";

/** One trace: its waterfall with the lines that were logged in it, or beside another trace. */
export function TracePage() {
  const { say } = useWords();
  const { trace: id = "" } = useParams();
  useTitle(say.traces.trace(id.slice(0, 8)));
  const asked = questions.trace(id);
  const question = useQuery(asked);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.traces.searching}>
      {(trace) => <Shown trace={trace} />}
    </Answer>
  );
}

function Shown({ trace }: { trace: Trace }) {
  const { locale, say } = useWords();
  const [search] = useSearchParams();
  const fall = useMemo(() => layTrace(trace.spans), [trace]);
  const root = fall.rows[0]?.span;
  const other = search.get("with");
  const around = between({ from: fall.start - 30_000, until: fall.end + 30_000 });
  const linesPath = apiPath("/api/logs/query", {
    trace_id: trace.trace_id,
    start: new Date(fall.start - 60_000).toISOString(),
    end: new Date(fall.end + 60_000).toISOString(),
    limit: "1000",
    direction: "forward",
  });
  const { data: lines = [] } = useQuery(questions.lines(linesPath));
  const errors = trace.spans.filter((span) => span.status === "ERROR").length;
  return (
    <>
      <header className={styles.head}>
        <h1>
          {root ? (
            <>
              <span className="soft">{serviceOf(root)}</span> {root.name}
            </>
          ) : (
            trace.trace_id
          )}
        </h1>
        <ul>
          <li>{amount(fall.length, "ms", locale)}</li>
          <li>{say.traces.spanCount(trace.spans.length, trace.total)}</li>
          {errors > 0 ? <li className={styles.bad}>{say.traces.errorCount(errors)}</li> : null}
          <li>{say.logs.lines(lines.length)}</li>
          <li>
            <Instant at={new Date(fall.start).toISOString()} now={Date.now()} />
          </li>
          <li>
            <code>{trace.trace_id}</code>
          </li>
        </ul>
        <nav aria-label={say.traces.ways}>
          <Link to={`/explore/logs?${new URLSearchParams({ trace: trace.trace_id, ...texts(around) })}`}>
            {say.signals.logs}
          </Link>
          <Link to={`/explore?${new URLSearchParams(texts(around))}`}>{say.logs.around}</Link>
          {root ? <CompareWith trace={trace.trace_id} root={root} bounds={fall} /> : null}
        </nav>
      </header>
      {other ? (
        <TraceComparison rows={fall.rows} length={fall.length} other={other} />
      ) : (
        <WaterfallView fall={fall} lines={lines} />
      )}
      <p className="soft small">
        {say.traces.legend(count(fall.rows.filter(({ span }) => span.critical).length, locale))}
      </p>
    </>
  );
}

function texts(window: { start: string | null; end: string | null }): Record<string, string> {
  return { start: window.start ?? "", end: window.end ?? "" };
}
