import type { FlameLayout } from "./layout";

/** What one function costs in both versions: by itself, and with all it calls (recursion counted once). */
export interface FunctionCost {
  name: string;
  file: string;
  ownBaseline: number;
  ownCandidate: number;
  totalBaseline: number;
  totalCandidate: number;
}

/** Sums a tree by function. The root, which is no function, is left out. */
export function costsByFunction(layout: FlameLayout): FunctionCost[] {
  const costs = new Map<string, FunctionCost>();
  // Until where in the layout a function is on the stack, so that its recursion is not added again.
  const openUntil = new Map<string, number>();
  for (let index = 1; index < layout.frames.length; index += 1) {
    const frame = layout.frames[index];
    if (frame === undefined) continue;
    const id = `${frame.name}\n${frame.file}`;
    const cost = costs.get(id) ?? nothing(frame.name, frame.file);
    costs.set(id, cost);
    const called = sumOf(layout, index);
    cost.ownBaseline += Math.max(0, frame.baseline - called.baseline);
    cost.ownCandidate += Math.max(0, frame.candidate - called.candidate);
    if (index < (openUntil.get(id) ?? 0)) continue;
    openUntil.set(id, layout.end[index] ?? 0);
    cost.totalBaseline += frame.baseline;
    cost.totalCandidate += frame.candidate;
  }
  return [...costs.values()];
}

export const COLUMNS = ["own", "total"] as const;
export type Column = (typeof COLUMNS)[number];

/** The difference of a function in one column, positive when the candidate costs more. */
export function differenceIn(cost: FunctionCost, column: Column): number {
  return column === "own" ? cost.ownCandidate - cost.ownBaseline : cost.totalCandidate - cost.totalBaseline;
}

function sumOf(layout: FlameLayout, index: number): { baseline: number; candidate: number } {
  const sum = { baseline: 0, candidate: 0 };
  for (const callee of layout.frames[index]?.children ?? []) {
    sum.baseline += callee.baseline;
    sum.candidate += callee.candidate;
  }
  return sum;
}

function nothing(name: string, file: string): FunctionCost {
  return { name, file, ownBaseline: 0, ownCandidate: 0, totalBaseline: 0, totalCandidate: 0 };
}
