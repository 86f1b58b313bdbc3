import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { stepOf } from "../address/window";
import { type Matrix, questions } from "../api/questions";
import { useTheme } from "../app/theme";
import { colourOfLevel, LEVELS, type Level, levelOf } from "../charts/palette";
import { gridOf, type Points } from "../charts/stacking";
import { Answer } from "../controls/Answer";
import { count } from "../format/units";
import type { Selection } from "../selection/useSelection";
import { useWords } from "../words";
import { type LineQuestion, volumePath } from "./asking";
import styles from "./logs.module.css";

const TimeChart = lazy(() => import("../charts/TimeChart"));

interface Props {
  question: LineQuestion;
  selection: Selection;
  height?: number;
  sync?: string;
}

/** How many lines there were, by level, over time; a stretch that is marked is looked at closer. */
export function Volume({ question, selection, height = 110, sync }: Props) {
  const { locale, say } = useWords();
  const { dark } = useTheme();
  const { bounds } = selection;
  const step = stepOf(bounds, 90);
  const asked = questions.logNumbers(volumePath(question, bounds, step));
  const answered = useQuery(asked);
  const rows = useMemo(() => (answered.data ? byLevel(answered.data, step) : []), [answered.data, step]);
  const grid = useMemo(
    () => gridOf(rows.map(({ name, points }) => ({ name: say.logs.levels[name], points }))),
    [rows, say],
  );
  const colours = useMemo(() => rows.map(({ name }) => colourOfLevel(name, dark)), [rows, dark]);
  const total = (points: Points["points"]) => points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
  return (
    <Answer question={answered} queryKey={asked.queryKey} what={say.logs.counting}>
      {() => (
        <div className={styles.volume}>
          <Suspense fallback={<div style={{ height }} />}>
            <TimeChart
              label={say.logs.volume}
              grid={grid}
              unit="{lines}"
              bounds={bounds}
              shape="bars"
              colours={colours}
              height={height}
              {...(sync ? { sync } : {})}
              onBrush={selection.zoomTo}
            />
          </Suspense>
          <ul className={styles.totals} aria-label={say.logs.volume}>
            {rows.toReversed().map(({ name, points }, index) => (
              <li key={name}>
                <i style={{ background: colours[rows.length - 1 - index] }} aria-hidden="true" />
                {say.logs.levels[name]} <b className="number">{count(total(points), locale)}</b>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Answer>
  );
}

/** Quiet levels first, so that they stand at the bottom. A count belongs to the step before its time. */
function byLevel(matrix: Matrix, step: number): { name: Level; points: [number, number][] }[] {
  const found = new Map<Level, Map<number, number>>();
  for (const { metric, values } of matrix) {
    const level = levelOf(metric.detected_level);
    const points = found.get(level) ?? new Map<number, number>();
    found.set(level, points);
    for (const [at, value] of values) points.set(at - step, (points.get(at - step) ?? 0) + Number(value));
  }
  return LEVELS.toReversed().flatMap((name) => {
    const points = found.get(name);
    return points ? [{ name, points: [...points] }] : [];
  });
}
