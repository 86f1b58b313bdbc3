import type { Comparison, Direction, Finding, SignalName } from "../api/wire";

/** Findings of one direction, the most important first. */
export function inDirection(comparison: Comparison, direction: Direction): Finding[] {
  return comparison.findings
    .filter((finding) => finding.direction === direction)
    .sort((a, b) => a.rank - b.rank);
}

const ORDER: Record<Direction, number> = { worse: 0, moved: 1, better: 2 };

/** Findings of one signal: what is worse first, then by rank. */
export function ofSignal(comparison: Comparison, signal: SignalName): Finding[] {
  return comparison.findings
    .filter((finding) => finding.signal === signal)
    .sort((a, b) => ORDER[a.direction] - ORDER[b.direction] || a.rank - b.rank);
}

/** Names a finding on the page, for links to its evidence. */
export function anchorOf(finding: Finding): string {
  const text = encodeURIComponent(`${finding.subject} ${finding.measure}`.trim());
  return `${finding.signal}-${finding.rank}-${text.replace(/%20/g, "-").replace(/%/g, "")}`;
}
