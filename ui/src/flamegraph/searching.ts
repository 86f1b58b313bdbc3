import type { FlameLayout } from "./layout";

/** What a search found: a flag per frame, how many, and what they cost with all they call. */
export interface Matches {
  flags: Uint8Array;
  count: number;
  baseline: number;
  candidate: number;
}

/** Frames whose function or file contains the text, in any case; null for an empty text. */
export function search(layout: FlameLayout, text: string): Matches | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return null;
  const matches: Matches = {
    flags: new Uint8Array(layout.frames.length),
    count: 0,
    baseline: 0,
    candidate: 0,
  };
  let insideUntil = 0;
  layout.frames.forEach((frame, index) => {
    if (!`${frame.name}\n${frame.file}`.toLowerCase().includes(wanted)) return;
    matches.flags[index] = 1;
    matches.count += 1;
    // A match inside a match is already counted in the outer one's cost.
    if (index < insideUntil) return;
    insideUntil = layout.end[index] ?? 0;
    matches.baseline += frame.baseline;
    matches.candidate += frame.candidate;
  });
  return matches;
}
