import type { Comparison } from "../api/wire";
import { en } from "../words/en";

/** The summary without its first words when the headline has just said the same. */
export function afterHeadline({ service, baseline, candidate, verdict, summary }: Comparison): string {
  const said = `${en.headline[verdict](service, candidate.version, baseline.version)}: `;
  if (!summary.toLowerCase().startsWith(said.toLowerCase())) return asSentence(summary);
  const rest = summary.slice(said.length);
  // A function, a metric or a path is called as it is; a word begins the sentence.
  return /^[a-z]+[ ,;:](?!\()/.test(rest) ? rest.charAt(0).toUpperCase() + rest.slice(1) : rest;
}

/** A verdict's summary in a list; the first word of one is no name, and begins a sentence. */
export function asSentence(summary: string): string {
  return summary.startsWith("cannot tell") ? `C${summary.slice(1)}` : summary;
}
