import type { Comparison } from "../api/wire";
import { en } from "../words/en";

/** The summary without its first words when the headline has just said the same. */
export function afterHeadline({ service, baseline, candidate, verdict, summary }: Comparison): string {
  const said = `${en.headline[verdict](service, candidate.version, baseline.version)}: `;
  if (!summary.startsWith(said)) return summary;
  const rest = summary.slice(said.length);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}
