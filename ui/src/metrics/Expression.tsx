import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { questions } from "../api/questions";
import type { Exemplars, Matrix, MetricFacts } from "../api/signals";
import { LineLegend } from "../charts/LineLegend";
import type { Dot } from "../charts/plugins";
import { gridOf } from "../charts/stacking";
import { Answer } from "../controls/Answer";
import { Panel } from "../controls/Panel";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { exemplarsPath, instantPath, rangePath, unitOf } from "./asking";
import { ExemplarList } from "./ExemplarList";
import { InstantTable } from "./InstantTable";
import styles from "./metrics.module.css";
import { nameOf, numberOf, telling } from "./naming";
import { RangeNumbers } from "./RangeNumbers";

const TimeChart = lazy(() => import("../charts/TimeChart"));

interface Props {
  query: string;
  selection: Selection;
  view: "graph" | "table";
  exemplars: boolean;
}

/** One expression: its lines over the range, or its values at the end of it. */
export function Expression({ query, selection, view, exemplars }: Props) {
  const { data: facts = {} } = useQuery(questions.metricFacts());
  return (
    <div className={styles.expression}>
      <Panel title={query}>
        {view === "graph" ? (
          <RangeChart query={query} selection={selection} facts={facts} exemplars={exemplars} />
        ) : (
          <AtTheEnd query={query} selection={selection} facts={facts} />
        )}
      </Panel>
    </div>
  );
}

type Facts = Record<string, MetricFacts>;

/** So many lines are drawn; more cannot be told apart, and the table has all. */
const DRAWN = 100;

interface ChartProps {
  query: string;
  selection: Selection;
  facts: Facts;
  exemplars?: boolean;
  height?: number;
  sync?: string;
  compact?: boolean;
}

/** An expression's lines. Drag marks a stretch; an exemplar opens its trace. */
export function RangeChart({
  query,
  selection,
  facts,
  exemplars = false,
  height = 240,
  sync = "metrics",
  compact = false,
}: ChartProps) {
  const { say } = useWords();
  const { bounds } = selection;
  const { path, step } = useMemo(() => rangePath(query, bounds), [query, bounds]);
  const asked = questions.metricRange(path);
  const answered = useQuery(asked);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const unit = unitOf(query, facts);
  const lines = useMemo(() => linesOf(answered.data ?? [], query), [answered.data, query]);
  const grid = useMemo(() => gridOf(lines.slice(0, DRAWN), step), [lines, step]);
  const dots = useExemplars(query, selection, exemplars);
  const navigate = useNavigate();
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.metrics.asking}>
      {() =>
        lines.length === 0 ? (
          <p className={styles.none}>{say.metrics.none}</p>
        ) : (
          <>
            <Suspense fallback={<div style={{ height }} />}>
              <TimeChart
                label={query}
                grid={grid}
                unit={unit}
                bounds={bounds}
                height={height}
                sync={sync}
                hidden={hidden}
                dots={dots}
                onBrush={selection.zoomTo}
                onDot={(dot) => navigate(`/explore/traces/${dot.trace}`)}
              />
            </Suspense>
            <LineLegend label={say.metrics.lines} names={grid.names} hidden={hidden} onToggle={setHidden} />
            <ExemplarList dots={dots} unit={unit} />
            {lines.length > DRAWN ? <p className="soft small">{say.notDrawn(lines.length - DRAWN)}</p> : null}
            {compact ? null : <RangeNumbers lines={lines} unit={unit} />}
          </>
        )
      }
    </Answer>
  );
}

function linesOf(matrix: Matrix, query: string) {
  const differing = telling(matrix.map(({ metric }) => metric));
  return matrix.map(({ metric, values }) => ({
    name: nameOf(metric, differing, query),
    points: values.map(([at, value]): [number, number | null] => [at, numberOf(value)]),
  }));
}

function useExemplars(query: string, { bounds }: Selection, wanted: boolean): Dot[] {
  const asked = questions.exemplars(exemplarsPath(query, bounds));
  const { data } = useQuery({ ...asked, enabled: wanted });
  return useMemo(() => (wanted && data ? thinned(dotsOf(data), bounds) : []), [wanted, data, bounds]);
}

function dotsOf(found: Exemplars): Dot[] {
  const dots = found.flatMap(({ exemplars }) =>
    exemplars.flatMap(({ labels, value, timestamp }) => {
      const trace = labels.trace_id;
      return trace ? [{ at: timestamp, value: Number(value), trace, name: trace }] : [];
    }),
  );
  // The same exemplar belongs to every bucket above its own.
  return [...new Map(dots.map((dot) => [`${dot.trace} ${dot.at}`, dot])).values()];
}

/** The dearest two of each stretch of the chart: more would hide one another. */
function thinned(dots: Dot[], { from, until }: Selection["bounds"]): Dot[] {
  const stretch = (until - from) / 1000 / 120;
  const groups = Map.groupBy(dots, ({ at }) => Math.floor(at / stretch));
  return [...groups.values()].flatMap((group) => group.toSorted((a, b) => b.value - a.value).slice(0, 2));
}

function AtTheEnd({ query, selection, facts }: { query: string; selection: Selection; facts: Facts }) {
  const { say } = useWords();
  const asked = questions.metricInstant(instantPath(query, selection.bounds));
  const answered = useQuery(asked);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.metrics.asking}>
      {(vector) =>
        vector.length === 0 ? (
          <p className={styles.none}>{say.metrics.none}</p>
        ) : (
          <InstantTable vector={vector} unit={unitOf(query, facts)} />
        )
      }
    </Answer>
  );
}
