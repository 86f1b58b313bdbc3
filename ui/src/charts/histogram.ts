import type { Durations } from "../api/wire";

/** Two histograms over the same edges, as shares of each version's own calls, without the empty ends. */
export interface Shares {
  edges: number[];
  baseline: number[];
  candidate: number[];
  calls: { baseline: number; candidate: number };
  logarithmic: boolean;
}

/** From this ratio between the outer edges on, a linear axis would hide the short calls. */
const WIDE = 30;

/** `null` when neither version was called. */
export function sharesOf(durations: Durations, baseline: string, candidate: string): Shares | null {
  const before = durations.versions[baseline] ?? [];
  const after = durations.versions[candidate] ?? [];
  const calls = { baseline: sum(before), candidate: sum(after) };
  const used = durations.edges
    .slice(1)
    .map((_, bucket) => bucket)
    .filter((bucket) => (before[bucket] ?? 0) + (after[bucket] ?? 0) > 0);
  const [first, last] = [used[0], used.at(-1)];
  if (first === undefined || last === undefined) return null;
  const together = Math.max(1, Math.round((last + 1 - first) / bucketsFor(calls)));
  const starts = Array.from(
    { length: Math.ceil((last + 1 - first) / together) },
    (_, at) => first + at * together,
  );
  const end = Math.min((starts.at(-1) ?? first) + together, durations.edges.length - 1);
  const edges = finite([...starts, end].map((at) => durations.edges[at] ?? 0));
  const part = (counts: number[], total: number) =>
    starts.map((at) => (total > 0 ? sum(counts.slice(at, at + together)) / total : 0));
  return {
    edges,
    baseline: part(before, calls.baseline),
    candidate: part(after, calls.candidate),
    calls,
    logarithmic: isGeometric(durations.edges) || (edges.at(-1) ?? 0) / (edges[0] || 1e-9) > WIDE,
  };
}

/** The Rice rule (twice the cube root), on the smaller of the two: more buckets would show noise. */
function bucketsFor(calls: { baseline: number; candidate: number }): number {
  const fewest = Math.min(...[calls.baseline, calls.candidate].filter((count) => count > 0));
  return Math.max(8, Math.ceil(2 * Math.cbrt(fewest)));
}

/** Whether each edge is the same multiple of the one before. */
function isGeometric(edges: number[]): boolean {
  const ratios = edges.slice(1).map((edge, at) => edge / (edges[at] ?? 0));
  const [first] = ratios;
  if (first === undefined || ratios.length < 3) return false;
  return ratios.every((ratio) => Math.abs(ratio / first - 1) < 0.02);
}

/** An edge of 0 or infinity has no place on a logarithmic axis: half and double its neighbour stand for it. */
function finite(edges: number[]): number[] {
  return edges.map((edge, index) => {
    if (edge <= 0) return (edges[index + 1] ?? 1) / 2;
    return Number.isFinite(edge) ? edge : (edges[index - 1] ?? 1) * 2;
  });
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
