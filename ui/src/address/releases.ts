import type { Judgement } from "../verdict/VerdictBadge";

export const RANGES = ["all", "7d", "1d", "6h", "1h"] as const;
export type Range = (typeof RANGES)[number];
export const JUDGEMENTS: readonly Judgement[] = ["worse", "no_worse", "cannot_tell", "not_judged"];

/** What the address of the home page says: what is searched for, one verdict or all, and how far back. */
export interface ReleasesAddress {
  find: string;
  verdict: Judgement | "all";
  last: Range;
}

export function readReleasesAddress(search: URLSearchParams): ReleasesAddress {
  return {
    find: search.get("find") ?? "",
    verdict: JUDGEMENTS.find((name) => name === search.get("verdict")) ?? "all",
    last: RANGES.find((name) => name === search.get("last")) ?? "all",
  };
}

export function changeReleasesAddress(
  search: URLSearchParams,
  change: Partial<ReleasesAddress>,
): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value && value !== "all") next.set(name, value);
    else next.delete(name);
  }
  return next;
}

const HOURS: Record<Exclude<Range, "all">, number> = { "7d": 168, "1d": 24, "6h": 6, "1h": 1 };

/** Where a range begins, in milliseconds, or null for all of it. */
export function rangeStart(range: Range, now: number): number | null {
  return range === "all" ? null : now - HOURS[range] * 3_600_000;
}
