import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { instant } from "../address/window";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { Answer } from "../controls/Answer";
import { Instant } from "../format/Instant";
import { amount } from "../format/units";
import { type Selection, sameSelection } from "../selection/useSelection";
import { useWords } from "../words";
import type { Around } from "./model";
import styles from "./profiles.module.css";

/** So many spans and lines are named. */
const SHOWN = 4;

/** From a function to the other signals: spans in which it was sampled, where they are known, and lines beside it. */
export function AroundFunction({ name, selection }: { name: string; selection: Selection }) {
  const { say } = useWords();
  const { selector, bounds } = selection;
  const range = { start: instant(bounds.from), end: instant(bounds.until) };
  const path = apiPath("/api/correlate", { selector, ...range, function: name, limit: String(SHOWN) });
  const asked = questions.aroundFunction(path);
  const question = useQuery(asked);
  return (
    <section className={styles.around} aria-label={say.profiles.around(name)}>
      <h2 className={styles.side}>{say.profiles.around(name)}</h2>
      <Answer question={question} queryKey={asked.queryKey} what={say.explore.comparing}>
        {(around) => <Found around={around} />}
      </Answer>
      <Link className="small" to={sameSelection(selection.search, "/explore")}>
        {say.logs.around}
      </Link>
    </section>
  );
}

function Found({ around: { traces, logs } }: { around: Around }) {
  const { locale, say } = useWords();
  const now = Date.now();
  if (traces.count + logs.count === 0) return <p className="soft">{say.profiles.nothingAround}</p>;
  return (
    <>
      <p className="soft small">
        {traces.by === "span profiles" ? say.profiles.sampledIn : say.profiles.sameProcesses}{" "}
        {say.traces.spanCount(traces.count)}, {say.logs.lines(logs.count)}
      </p>
      <ul aria-label={say.traces.spans}>
        {traces.examples.map((one) => (
          <li key={one.span_id}>
            <span className="number">{amount(one.duration_ms, "ms", locale)}</span>{" "}
            <Link to={`/explore/traces/${one.trace_id}?span=${one.span_id}`}>
              {one.service} {one.name}
            </Link>{" "}
            {one.error ? <span className={styles.bad}>{say.traces.failed}</span> : null}
          </li>
        ))}
      </ul>
      <ul aria-label={say.signals.logs}>
        {logs.examples.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
          <li key={index}>
            <Instant at={one.time} now={now} /> <code>{one.body}</code>{" "}
            {one.trace_id ? (
              <Link to={`/explore/traces/${one.trace_id}${one.span_id ? `?span=${one.span_id}` : ""}`}>
                {say.logs.trace}
              </Link>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}
