import type { Release } from "../api/wire";
import { milliseconds } from "../format/instants";

/** A stretch of time, in milliseconds since the epoch. */
export interface Span {
  from: number;
  until: number;
}

/** A version on a time line: `left` and `width` are fractions of it, `lane` keeps overlapping ones apart. */
export interface Bar {
  release: Release;
  left: number;
  width: number;
  lane: number;
}

/** A version that was heard of this recently, in milliseconds, counts as running. */
const RUNNING = 60_000;

/** The shortest bar that can be seen and hit, as a fraction of the line. */
const LEAST = 0.012;

/** The time that all lines share: from the first release (or `from`) until now, never under a minute. */
export function spanOf(releases: readonly Release[], from: number | null, now: number): Span {
  const starts = releases.map((release) => milliseconds(release.first_seen) ?? now);
  const first = from ?? Math.min(now - 60_000, ...starts);
  return { from: first, until: now };
}

/** Lays versions on a line, oldest first, each in the first lane that is free. */
export function layBars(releases: readonly Release[], span: Span): Bar[] {
  const length = span.until - span.from;
  const ends: number[] = [];
  return [...releases]
    .sort((a, b) => start(a) - start(b))
    .map((release) => {
      const left = clamp((start(release) - span.from) / length, 0, 1 - LEAST);
      const right = clamp(((milliseconds(release.last_seen) ?? span.until) - span.from) / length, 0, 1);
      const width = Math.max(right - left, LEAST);
      const free = ends.findIndex((end) => end <= left);
      const lane = free === -1 ? ends.length : free;
      ends[lane] = left + width;
      return { release, left, width, lane };
    });
}

export function isRunning(release: Release, now: number): boolean {
  return now - (milliseconds(release.last_seen) ?? 0) < RUNNING;
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10_080, 20_160, 43_200, 86_400, 259_200,
].map((minutes) => minutes * 60_000);

/** Round times in the person's zone, at most `most` of them, in milliseconds since the epoch. */
export function ticksOf(span: Span, most: number): number[] {
  const length = span.until - span.from;
  const step = STEPS.find((candidate) => length / candidate <= most) ?? 10 * (STEPS.at(-1) ?? length);
  const zone = new Date(span.from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((span.from - zone) / step) * step + zone;
  const ticks: number[] = [];
  for (let at = first; at <= span.until; at += step) ticks.push(at);
  return ticks;
}

function start(release: Release): number {
  return milliseconds(release.first_seen) ?? 0;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
