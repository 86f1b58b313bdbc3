import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import { isUnanswered, Unanswered } from "../controls/Unanswered";
import { range } from "../logs/asking";
import { LineRow } from "../logs/LineRow";
import { traceOf } from "../logs/line";
import { useWords } from "../words";
import styles from "./dashboards.module.css";
import { filled } from "./filling";
import type { PanelProps } from "./panel";

/** So many lines are shown. */
const SHOWN = 50;

/** The newest lines of a panel's queries. */
export function LinesPanel({ panel, selection, chosen }: PanelProps) {
  const { say } = useWords();
  const { bounds } = selection;
  const asked = panel.queries.map(({ query }) => {
    const text = filled(query, chosen, bounds);
    const path = apiPath("/api/logs/query", { query: text, ...range(bounds), limit: String(SHOWN) });
    return questions.lines(path);
  });
  const answers = useQueries({ queries: asked });
  if (isUnanswered(answers)) {
    const queryKeys = asked.map(({ queryKey }) => queryKey);
    return <Unanswered answers={answers} queryKeys={queryKeys} what={say.logs.searching} />;
  }
  const lines = answers.flatMap(({ data = [] }) => data).sort((a, b) => (a.time < b.time ? 1 : -1));
  if (lines.length === 0) return <p className="soft">{say.logs.none}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <ol className={styles.lines} aria-label={panel.title} tabIndex={0}>
      {lines.slice(0, SHOWN).map((line, index) => {
        const trace = traceOf(line);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line may well be there twice
          <li key={index}>
            <LineRow line={line} find="" />
            {trace ? <Link to={`/explore/traces/${trace}`}>{say.logs.trace}</Link> : null}
          </li>
        );
      })}
    </ol>
  );
}
