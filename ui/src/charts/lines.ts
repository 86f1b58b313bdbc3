import type { Comparison, Series, SeriesAnswer } from "../api/wire";
import { milliseconds } from "../format/instants";

/** One line of a chart: which side it belongs to, and what tells it from its neighbours. */
export interface Line {
  series: Series;
  side: "baseline" | "candidate";
}

/** Lines on one axis of time. `xs` in seconds: since the epoch, or since each side began. */
export interface Overlay {
  lines: Line[];
  xs: number[];
  ys: (number | null)[][];
  /** Whether `xs` count from each side's beginning, because the two did not run at the same time. */
  elapsed: boolean;
  /** How many series there are that are not drawn. */
  left: number;
}

/** So many lines of each side are drawn; more cannot be told apart. */
const MOST = 6;

/** Lays the series of both versions over one another; other versions' series are left out. */
export function overlay(answer: SeriesAnswer, comparison: Comparison): Overlay {
  const elapsed = comparison.kind === "before_after";
  const sides = ["baseline", "candidate"] as const;
  const all = sides.map((side) =>
    answer.series
      .filter((series) => series.version === comparison[side].version)
      .map((series): Line => ({ series, side })),
  );
  const lines = all.flatMap((ofSide) => ofSide.slice(0, MOST));
  const left = all.flat().length - lines.length;
  const shifted = lines.map((line) => shiftedPoints(line, elapsed, comparison));
  const xs = [...new Set(shifted.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  return { lines, xs, ys: shifted.map((points) => throughGaps(xs, points)), elapsed, left };
}

function shiftedPoints(line: Line, elapsed: boolean, comparison: Comparison): Map<number, number | null> {
  const { points } = line.series;
  const began = (milliseconds(comparison[line.side].start) ?? 0) / 1000;
  // A side's window may begin long before its first point; what counts is where its own points begin.
  const zero = elapsed ? Math.max(began, points[0]?.[0] ?? began) : 0;
  return new Map(points.map(([at, value]) => [Math.round((at - zero) * 1000) / 1000, value]));
}

/** Values at all of `xs`; another line's times are no gap in this one. */
function throughGaps(xs: number[], points: Map<number, number | null>): (number | null)[] {
  const own = [...points.keys()].sort((a, b) => a - b);
  const [first, last] = [own[0], own.at(-1)];
  return xs.map((x) => {
    const value = points.get(x);
    if (value !== undefined) return value;
    if (first === undefined || last === undefined || x < first || x > last) return null;
    const after = own.findIndex((at) => at > x);
    return between(own[after - 1], own[after], x, points);
  });
}

function between(
  x0: number | undefined,
  x1: number | undefined,
  x: number,
  points: Map<number, number | null>,
): number | null {
  if (x0 === undefined || x1 === undefined) return null;
  const [y0, y1] = [points.get(x0) ?? null, points.get(x1) ?? null];
  return y0 === null || y1 === null ? null : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** What tells a series from the others drawn: the labels in which they differ. */
export function tellingLabels(series: readonly Series[]): string[] {
  const names = new Set(series.flatMap((one) => Object.keys(one.labels)));
  return [...names]
    .filter((name) => name !== "service_version" && new Set(series.map((one) => one.labels[name])).size > 1)
    .sort();
}

export interface Summary {
  least: number;
  mean: number;
  most: number;
  last: number;
}

/** A series in four numbers, or null when it has none. */
export function summarise(series: Pick<Series, "points">): Summary | null {
  const values = series.points.map(([, value]) => value).filter((value) => value !== null);
  const last = values.at(-1);
  if (last === undefined) return null;
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    least: values.reduce((a, b) => Math.min(a, b)),
    most: values.reduce((a, b) => Math.max(a, b)),
    mean: sum / values.length,
    last,
  };
}
