import { useQueries } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { questions } from "../api/questions";
import { LineLegend } from "../charts/LineLegend";
import { gridOf } from "../charts/stacking";
import { isUnanswered, Unanswered } from "../controls/Unanswered";
import { nameOf, numberOf, telling } from "../metrics/naming";
import { useWords } from "../words";
import { numbersPath } from "./asking";
import styles from "./dashboards.module.css";
import { filled, legendOf } from "./filling";
import type { PanelProps } from "./panel";

const TimeChart = lazy(() => import("../charts/TimeChart"));

/** So many lines are drawn in a panel. */
const DRAWN = 50;

/** All queries of a panel in one chart. */
export function ChartPanel({ panel, selection, chosen }: PanelProps) {
  const { say } = useWords();
  const { bounds } = selection;
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const paths = panel.queries.map(({ query, language }) =>
    numbersPath(filled(query, chosen, bounds), language, bounds),
  );
  const asked = panel.queries.map(({ language }, index) =>
    questions.numbers(paths[index]?.path ?? "", language),
  );
  const answers = useQueries({ queries: asked });
  const told = answers.map((answer) => answer.dataUpdatedAt).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `told` changes when any answer does
  const grid = useMemo(() => {
    const lines = answers.flatMap(({ data = [] }, index) => {
      const differing = telling(data.map(({ metric }) => metric));
      const query = panel.queries[index];
      return data.map(({ metric, values }) => ({
        name: legendOf(query?.legend, metric) ?? nameOf(metric, differing, query?.query ?? ""),
        points: values.map(([at, value]): [number, number | null] => [at, numberOf(value)]),
      }));
    });
    return gridOf(lines.slice(0, DRAWN), Math.max(...paths.map(({ step }) => step)));
  }, [told, panel]);
  if (answers.some((answer) => answer.error !== null) || (grid.names.length === 0 && isUnanswered(answers))) {
    const queryKeys = asked.map(({ queryKey }) => queryKey);
    return <Unanswered answers={answers} queryKeys={queryKeys} what={say.metrics.asking} />;
  }
  if (grid.names.length === 0) return <p className="soft">{say.metrics.none}</p>;
  return (
    <>
      <Suspense fallback={<div className={styles.chart} />}>
        <TimeChart
          label={panel.title}
          grid={grid}
          unit={panel.unit ?? ""}
          bounds={bounds}
          height={180}
          sync="dashboard"
          hidden={hidden}
          onBrush={selection.zoomTo}
        />
      </Suspense>
      <LineLegend label={say.metrics.lines} names={grid.names} hidden={hidden} onToggle={setHidden} />
    </>
  );
}
