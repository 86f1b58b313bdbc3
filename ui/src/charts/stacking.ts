/** Several rows of numbers on one axis of time. `xs` in seconds since the epoch, growing; null where there is nothing. */
export interface Grid {
  xs: number[];
  ys: (number | null)[][];
  names: string[];
}

export interface Points {
  name: string;
  points: readonly (readonly [seconds: number, value: number | null])[];
}

/** Rows with points of their own on one grid. With a step, missing places become gaps and not bridges. */
export function gridOf(rows: readonly Points[], step?: number): Grid {
  const places = new Set(rows.flatMap((row) => row.points.map(([at]) => at)));
  if (step !== undefined && places.size > 1) {
    const sorted = [...places].sort((a, b) => a - b);
    const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
    if ((last - first) / step < 20_000) for (let at = first + step; at < last; at += step) places.add(at);
  }
  const xs = [...places].sort((a, b) => a - b);
  return {
    xs,
    names: rows.map((row) => row.name),
    ys: rows.map((row) => {
      const known = new Map(row.points);
      return xs.map((x) => known.get(x) ?? null);
    }),
  };
}

/** Each row on top of those before it; what is not there adds nothing. */
export function stacked(rows: readonly (readonly (number | null)[])[]): number[][] {
  const sums: number[] = [];
  return rows.map((row) =>
    row.map((value, at) => {
      sums[at] = (sums[at] ?? 0) + (value ?? 0);
      return sums[at];
    }),
  );
}
