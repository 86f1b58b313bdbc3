import type { Severity } from "../../hazards/model";

const plural = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const hazards = {
  title: "Hazards",
  found: "Found in the cluster",
  notWatching: "No cluster is watched. Manifests can be checked before they ship:",
  none: "Nothing was found.",
  firstSeen: "First seen",
  subject: "Object",
  state: "State",
  says: "What was found",
  states: {
    latent: "latent",
    active: "active",
    hurting: "hurting",
    "not evaluable": "cannot be told",
    refuted: "does not apply",
  } as Record<string, string>,
  severities: { critical: "Critical", high: "High", medium: "Medium", low: "Low", info: "Info" } as Record<
    Severity,
    string
  >,
  rules: (n: number) => plural(n, "known way to get hurt", "known ways to get hurt"),
  rulesLead: "Each with its reason, what to do, where that is known from, and the chart that proves it.",
  findRule: "Find a rule",
  noRule: "No rule has this in it.",
  fix: (subject: string) => `The fix for ${subject}`,
  showFix: "Fix",
  fixUnsafe: "Look at it before you take it: it is not right for every workload.",
  fixCommand: "The same for kubectl. Where the object comes from a repository, change it there.",
  /** A fact beside a finding, as the server says it. */
  proof: "Proof in the metrics:",
  sources: "Known from",
};
