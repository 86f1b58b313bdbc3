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
  const edges = finite(durations.edges.slice(first, last + 2));
  const zeros = new Array<number>(last + 1 - first).fill(0);
  const part = (counts: number[], total: number) =>
    total === 0 ? zeros : counts.slice(first, last + 1).map((count) => count / total);
  return {
    edges,
    baseline: part(before, calls.baseline),
    candidate: part(after, calls.candidate),
    calls,
    logarithmic: (edges.at(-1) ?? 0) / (edges[0] || 1e-9) > WIDE,
  };
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
