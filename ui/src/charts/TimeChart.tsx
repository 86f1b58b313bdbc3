import { useCallback, useMemo, useRef } from "react";
import type uPlot from "uplot";
import type { Bounds } from "../address/window";
import { useTheme } from "../app/theme";
import { inScale, scaleFor } from "../format/units";
import { useWords } from "../words";
import styles from "./charts.module.css";
import { clock, TIME_STEPS } from "./clock";
import { hover } from "./hover";
import { axis, type Colours, Plot, verticalAxis } from "./Plot";
import { strokeOf } from "./palette";
import { bars, brush, type Dot, dots } from "./plugins";
import { roomFor, roundSteps } from "./scales";
import type { Grid } from "./stacking";
import { stacked } from "./stacking";

export interface TimeChartProps {
  label: string;
  grid: Grid;
  unit: string;
  bounds: Bounds;
  /** Lines beside each other, or bars on top of each other. */
  shape?: "lines" | "bars";
  colours?: string[];
  dots?: Dot[];
  height?: number;
  /** Charts with the same name share their cursor. */
  sync?: string;
  hidden?: ReadonlySet<number>;
  /** A stretch was marked with the pointer. */
  onBrush?: (bounds: Bounds) => void;
  onDot?: (dot: Dot) => void;
}

/** Numbers over time, for any number of lines. Drag marks a stretch. */
export default function TimeChart(props: TimeChartProps) {
  const { label, grid, unit, bounds, shape = "lines", height = 190, sync } = props;
  const { locale } = useWords();
  const { dark } = useTheme();
  const latest = useRef(props);
  latest.current = props;
  const brushed = useCallback((to: Bounds) => latest.current.onBrush?.(to), []);
  const picked = useCallback((dot: Dot) => latest.current.onDot?.(dot), []);
  const hidden = props.hidden;
  const shown = useMemo(() => {
    const rows = grid.ys.map((row, index) => (hidden?.has(index) ? row.map(() => null) : row));
    return shape === "bars" ? stacked(rows) : rows;
  }, [grid, hidden, shape]);
  const data = useMemo((): uPlot.AlignedData => [grid.xs, ...shown], [grid, shown]);
  const strokes = useMemo(
    () => grid.names.map((_, at) => ({ ...strokeOf(at, dark), ...colourAt(props.colours, at) })),
    [grid, dark, props.colours],
  );
  const { dots: marks } = props;
  const brushable = props.onBrush !== undefined;
  const options = useMemo(
    () => (colours: Colours) => {
      const most = shown.flat().reduce<number>((top, value) => Math.max(top, Math.abs(value ?? 0)), 0);
      const scale = scaleFor(most, unit);
      const time = clock((bounds.until - bounds.from) / 1000, locale);
      const plugins = [
        hover((index) => ({
          title: time(grid.xs[index] ?? 0),
          rows: rowsAt(grid, index, hidden).map(({ at, value }) => ({
            colour: strokes[at]?.colour ?? "",
            name: grid.names[at] ?? "",
            value: inScale(value, scale, locale),
          })),
        })),
      ];
      if (brushable) plugins.push(brush(brushed));
      if (marks && marks.length > 0) plugins.push(dots(marks, colours, picked));
      if (shape === "bars") plugins.push(bars(strokes.map((stroke) => stroke.colour)));
      return {
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: brushable, y: false, setScale: false, dist: 4 },
          points: { show: shape === "lines" },
          ...(sync ? { sync: { key: sync } } : {}),
        },
        scales: {
          x: { time: false, range: () => [bounds.from / 1000, bounds.until / 1000] as [number, number] },
          y: {
            range: (_: uPlot, low: number, high: number) =>
              roomFor(Math.min(low, 0), Math.max(high, highest(marks))) as [number, number],
          },
        },
        axes: [
          axis(colours, { values: (_, ticks) => ticks.map(time), space: 70, incrs: TIME_STEPS }),
          verticalAxis(colours, {
            values: (_, ticks) => ticks.map((tick) => inScale(tick, scale, locale)),
            incrs: roundSteps(scale.factor),
            // A low chart has room for two labels still.
            space: height < 120 ? 16 : 28,
          }),
        ],
        series: [
          {},
          ...strokes.map(({ colour, dash }) =>
            shape === "bars"
              ? { paths: () => null, points: { show: false } }
              : { stroke: colour, width: 1.5, dash, points: { show: grid.xs.length < 3 } },
          ),
        ],
        plugins,
      } satisfies Omit<uPlot.Options, "width" | "height">;
    },
    [
      grid,
      shown,
      unit,
      bounds,
      locale,
      strokes,
      shape,
      height,
      sync,
      hidden,
      marks,
      brushable,
      brushed,
      picked,
    ],
  );
  return (
    <div className={brushable ? styles.brushable : undefined}>
      <Plot label={label} data={data} options={options} height={height} />
    </div>
  );
}

function colourAt(colours: string[] | undefined, at: number): { colour?: string; dash?: number[] } {
  const colour = colours?.[at];
  return colour === undefined ? {} : { colour, dash: [] };
}

function highest(marks: Dot[] | undefined): number {
  return (marks ?? []).reduce((top, dot) => Math.max(top, dot.value), 0);
}

/** So many lines are named under the pointer: the highest. */
const NAMED = 12;

function rowsAt(grid: Grid, index: number, hidden: ReadonlySet<number> | undefined) {
  return grid.ys
    .flatMap((row, at) => {
      const value = row[index] ?? null;
      return value === null || hidden?.has(at) ? [] : [{ at, value }];
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, NAMED);
}
