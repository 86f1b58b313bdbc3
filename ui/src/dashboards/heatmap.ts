import type { Matrix } from "../api/signals";

/** Counts over time and buckets. `counts[row][column]`; a row is what is up to its bound and above the one before. */
export interface Heatmap {
  /** Seconds since the epoch. */
  times: number[];
  bounds: number[];
  counts: number[][];
  most: number;
}

/** Buckets with `le` are cumulative: each has all that is in those below it. */
export function heatmapOf(matrix: Matrix): Heatmap {
  const rows = matrix
    .map(({ metric, values }) => ({
      bound: Number(metric.le?.replace("+Inf", "Infinity")),
      values: new Map(values),
    }))
    .filter(({ bound }) => !Number.isNaN(bound))
    .sort((a, b) => a.bound - b.bound);
  const times = [...new Set(rows.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  const at = (row: number, time: number) => Number(rows[row]?.values.get(time) ?? 0) || 0;
  const counts = rows.map((_, row) =>
    times.map((time) => Math.max(0, at(row, time) - (row > 0 ? at(row - 1, time) : 0))),
  );
  return { times, bounds: rows.map(({ bound }) => bound), counts, most: Math.max(0, ...counts.flat()) };
}
