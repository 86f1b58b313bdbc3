import { milliseconds } from "../format/instants";

/** The time that a page is about: a distance back from now, or two fixed points (RFC 3339 or Unix milliseconds). */
export interface Window {
  since: string | null;
  start: string | null;
  end: string | null;
}

/** Two points in time, in milliseconds since the epoch. */
export interface Bounds {
  from: number;
  until: number;
}

export const DISTANCES = ["5m", "15m", "1h", "6h", "1d", "7d"] as const;
const DEFAULT = "1h";
const UNIT: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function readWindow(search: URLSearchParams): Window {
  const [start, end] = [search.get("start"), search.get("end")];
  const fixed = start !== null && milliseconds(start) !== null;
  if (fixed) return { since: null, start, end: end !== null && milliseconds(end) !== null ? end : null };
  const since = search.get("since");
  return { since: since !== null && lengthOf(since) !== null ? since : DEFAULT, start: null, end: null };
}

/** The same address with another window; the default is left out. */
export function changeWindow(search: URLSearchParams, window: Partial<Window>): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const name of ["since", "start", "end"] as const) {
    const value = window[name];
    if (value && !(name === "since" && value === DEFAULT)) next.set(name, value);
    else next.delete(name);
  }
  return next;
}

/** "90m" in milliseconds, or null for what is no distance. */
export function lengthOf(distance: string): number | null {
  const found = /^(\d{1,6})([smhdw])$/.exec(distance);
  if (found === null) return null;
  return Number(found[1]) * (UNIT[found[2] ?? ""] ?? 0) || null;
}

/** What a window comes to now. */
export function boundsOf(window: Window, now: number): Bounds {
  const until = (window.end === null ? null : milliseconds(window.end)) ?? now;
  if (window.start !== null) {
    const from = milliseconds(window.start) ?? until - 3_600_000;
    return from < until ? { from, until } : { from: until - 1_000, until };
  }
  return { from: until - (lengthOf(window.since ?? DEFAULT) ?? 3_600_000), until };
}

/** A window between two points. */
export function between({ from, until }: Bounds): Window {
  return { since: null, start: instant(from), end: instant(until) };
}

/** The wire's form of a point in time. */
export function instant(at: number): string {
  return new Date(Math.round(at)).toISOString();
}

/** Twice as long around the same middle, but not beyond now. */
export function wider({ from, until }: Bounds, now: number): Bounds {
  const half = (until - from) / 2;
  return { from: from - half, until: Math.min(until + half, Math.max(now, until)) };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** A step in seconds that reads well and gives about so many points. */
export function stepOf({ from, until }: Bounds, points = 120): number {
  const wanted = (until - from) / 1000 / points;
  return STEPS.find((step) => step >= wanted) ?? 86_400;
}
