import type { Finding } from "../api/wire";

/** Where "no change" and the outer ends of a shared axis of relative changes are, as ratios (1 is no change). */
export interface ForestAxis {
  least: number;
  most: number;
}

/** Ratios beyond these are drawn at the edge. */
const LIMITS = { least: 1 / 64, most: 64 };

/** One axis for all findings, so that their sizes can be compared; always with "no change" on it. */
export function forestAxis(findings: readonly Finding[]): ForestAxis {
  const ratios = findings.flatMap((finding) => [
    ratioOf(finding.change),
    ...(finding.interval ?? []).map(ratioOf),
  ]);
  const known = ratios.filter((ratio) => ratio !== null);
  const axis = {
    least: Math.max(LIMITS.least, Math.min(0.8, ...known)),
    most: Math.min(LIMITS.most, Math.max(1.25, ...known)),
  };
  return { least: axis.least * 0.92, most: axis.most * 1.08 };
}

/** A relative change's place on the axis from 0 (left) to 1; logarithmic, so that half and double are alike. */
export function placeOn(axis: ForestAxis, change: number): number {
  const ratio = Math.max(ratioOf(change) ?? 1, 1e-6);
  const place = Math.log(ratio / axis.least) / Math.log(axis.most / axis.least);
  return Math.min(Math.max(place, 0), 1);
}

const TICKS = [-0.95, -0.9, -0.75, -0.5, 0, 1, 3, 9, 29];

/** Round changes to label the axis with: "no change", and others that leave room for their text. */
export function forestTicks(axis: ForestAxis): number[] {
  const zero = placeOn(axis, 0);
  const kept: number[] = [0];
  const nearestFirst = TICKS.filter((tick) => 1 + tick > axis.least && 1 + tick < axis.most).sort(
    (a, b) => Math.abs(placeOn(axis, a) - zero) - Math.abs(placeOn(axis, b) - zero),
  );
  for (const tick of nearestFirst) {
    if (kept.every((other) => Math.abs(placeOn(axis, other) - placeOn(axis, tick)) > 0.2)) kept.push(tick);
  }
  return kept.sort((a, b) => a - b);
}

function ratioOf(change: number | null): number | null {
  return change === null || !Number.isFinite(change) ? null : 1 + change;
}
