import { useQueries } from "@tanstack/react-query";
import { apiPath } from "../api/client";
import { questions } from "../api/questions";
import type { Vector } from "../api/signals";
import { isUnanswered, Unanswered } from "../controls/Unanswered";
import { Quantity } from "../format/Quantity";
import { instantPath } from "../metrics/asking";
import { InstantTable } from "../metrics/InstantTable";
import { nameOf, numberOf, telling } from "../metrics/naming";
import { useWords } from "../words";
import styles from "./dashboards.module.css";
import { filled, legendOf } from "./filling";
import type { PanelProps } from "./panel";

/** Values at the end of the time: large, or in a table. */
export function ValuesPanel({ panel, selection, chosen }: PanelProps) {
  const { say } = useWords();
  const { bounds } = selection;
  const asked = panel.queries.map(({ query, language }) => {
    const text = filled(query, chosen, bounds);
    if (language === "promql") return questions.metricInstant(instantPath(text, bounds));
    const time = String(Math.round(bounds.until / 1000));
    return questions.metricInstant(apiPath("/loki/api/v1/query", { query: text, time }));
  });
  const answers = useQueries({ queries: asked });
  if (isUnanswered(answers)) {
    const queryKeys = asked.map(({ queryKey }) => queryKey);
    return <Unanswered answers={answers} queryKeys={queryKeys} what={say.metrics.asking} />;
  }
  const all: Vector = answers.flatMap(({ data = [] }) => data);
  if (all.length === 0) return <p className="soft">{say.metrics.none}</p>;
  if (panel.type === "table") return <InstantTable vector={all} unit={panel.unit ?? ""} />;
  const differing = telling(all.map(({ metric }) => metric));
  return (
    <dl className={styles.stats}>
      {answers.flatMap(({ data = [] }, index) =>
        data.map(({ metric, value }) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two queries may give the same labels
          <div key={`${index} ${JSON.stringify(metric)}`}>
            <dt>
              {legendOf(panel.queries[index]?.legend, metric) ?? nameOf(metric, differing, panel.title)}
            </dt>
            <dd>
              <Quantity value={numberOf(value[1])} unit={panel.unit ?? ""} />
            </dd>
          </div>
        )),
      )}
    </dl>
  );
}
