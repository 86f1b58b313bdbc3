import type { Points } from "../charts/stacking";

/** What the server said of itself at one time (seconds since the epoch): numbers by metric and kind of telemetry. */
export interface Reading {
  at: number;
  values: ReadonlyMap<string, number>;
}

/** So many readings are kept: an hour of one every five seconds. */
const KEPT = 720;

/** Prometheus' text format, of which the metrics of this server and its process are kept, by name and `kind`. */
export function readingOf(text: string, at: number): Reading {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = /^((?:pilothouse|process)_\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || name.endsWith("_bucket")) continue;
    const kind = /(?:^|,)kind="([^"]*)"/.exec(labels)?.[1] ?? "";
    const key = `${name} ${kind}`;
    values.set(key, (values.get(key) ?? 0) + Number(value));
  }
  return { at, values };
}

export const withReading = (before: readonly Reading[], next: Reading): Reading[] =>
  [...before, next].slice(-KEPT);

/** A metric's course, a line a kind; of a counter how fast it grows, a second, from the second reading on. */
export function courseOf(readings: readonly Reading[], metric: string, counter: boolean): Points[] {
  const keys = [...new Set(readings.flatMap(({ values }) => [...values.keys()]))].filter((key) =>
    key.startsWith(`${metric} `),
  );
  return keys.sort().map((key) => ({
    name: key.slice(metric.length + 1) || metric,
    points: readings.flatMap(({ at, values }, index): [number, number | null][] => {
      const value = values.get(key) ?? null;
      if (!counter) return [[at, value]];
      const before = readings[index - 1];
      const last = before?.values.get(key) ?? (before ? 0 : null);
      if (before === undefined || value === null || last === null || value < last) return [];
      return [[at, (value - last) / Math.max(at - before.at, 0.001)]];
    }),
  }));
}
