import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { questions } from "../api/questions";
import { clock } from "../charts/clock";
import { Answer } from "../controls/Answer";
import { amount } from "../format/units";
import { useWords } from "../words";
import { numbersPath } from "./asking";
import styles from "./dashboards.module.css";
import { filled } from "./filling";
import { heatmapOf } from "./heatmap";
import type { PanelProps } from "./panel";

const [WIDTH, ROW] = [600, 14];

/** How many observations fell into which bucket, over time. */
export function HeatmapPanel({ panel, selection, chosen }: PanelProps) {
  const { locale, say } = useWords();
  const { bounds } = selection;
  const { query = "", language = "promql" } = panel.queries[0] ?? {};
  const asked = questions.numbers(
    numbersPath(filled(query, chosen, bounds), language, bounds).path,
    language,
  );
  const question = useQuery(asked);
  const map = useMemo(() => heatmapOf(question.data ?? []), [question.data]);
  const time = clock((bounds.until - bounds.from) / 1000, locale);
  const column = WIDTH / Math.max(map.times.length, 1);
  return (
    <Answer question={question} queryKey={asked.queryKey} what={say.metrics.asking}>
      {() =>
        map.bounds.length === 0 ? (
          <p className="soft">{say.dashboards.noBuckets}</p>
        ) : (
          <svg
            className={styles.heatmap}
            viewBox={`-70 0 ${WIDTH + 70} ${map.bounds.length * ROW + 16}`}
            role="img"
            aria-label={panel.title}
          >
            {map.counts.map((row, index) => {
              const top = (map.bounds.length - 1 - index) * ROW;
              const bound = map.bounds[index] ?? 0;
              const name = Number.isFinite(bound) ? `≤ ${amount(bound, panel.unit ?? "", locale)}` : "∞";
              return (
                <g key={bound}>
                  <text x={-6} y={top + ROW - 4} textAnchor="end">
                    {name}
                  </text>
                  {row.map((count, at) =>
                    count > 0 ? (
                      <rect
                        // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
                        key={at}
                        x={at * column}
                        y={top}
                        width={Math.max(column - 0.5, 0.5)}
                        height={ROW - 1}
                        opacity={0.12 + 0.88 * Math.sqrt(count / map.most)}
                      >
                        <title>{`${time(map.times[at] ?? 0)} · ${name} · ${count.toLocaleString(locale)}`}</title>
                      </rect>
                    ) : null,
                  )}
                </g>
              );
            })}
            <text x={0} y={map.bounds.length * ROW + 12}>
              {time(map.times[0] ?? 0)}
            </text>
            <text x={WIDTH} y={map.bounds.length * ROW + 12} textAnchor="end">
              {time(map.times.at(-1) ?? 0)}
            </text>
          </svg>
        )
      }
    </Answer>
  );
}
