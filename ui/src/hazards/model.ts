/** How bad a hazard is, the worst first. */
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a rule found: `GET /api/hazards`. */
export interface HazardFinding {
  rule: string;
  state: string;
  severity: string;
  subject: string;
  object: { kind: string; namespace: string; name: string; container: string };
  title: string;
  message: string;
  evidence: string[];
  first_seen: string;
  last_seen: string;
  resolved: string | null;
  history: { at: string; state: string }[];
  fingerprint: string;
  /** Whether the rule knows a fix that can be shown in the object. */
  fixable: boolean;
}

/** How the object of a finding would be changed: `GET /api/hazards/findings/FINGERPRINT/fix`. */
export interface HazardFix {
  diff: string;
  /** The same for kubectl; empty where a patch cannot say it. */
  command: string;
  safe: boolean;
}

export interface Hazards {
  watching: boolean;
  findings: HazardFinding[];
}

/** One of the known ways to get hurt: `GET /api/hazards/rules`. */
export interface HazardRule {
  id: string;
  family: string;
  title: string;
  severity: Severity;
  hurting: string;
  why: string;
  advice: string;
  sources: string[];
  queries: string[];
}

/** A rule with all that it found, and the worst of its findings' severities. */
export interface Cause {
  id: string;
  rule: HazardRule | null;
  findings: HazardFinding[];
  severity: string;
}

/** Findings of one cause together: those of a rule, the worst rule first. */
export function byRule(findings: readonly HazardFinding[], rules: readonly HazardRule[]): Cause[] {
  const known = new Map(rules.map((rule) => [rule.id, rule]));
  const place = (severity: string) => {
    const at = SEVERITIES.indexOf(severity as Severity);
    return at < 0 ? SEVERITIES.length : at;
  };
  return [...Map.groupBy(findings, (finding) => finding.rule)]
    .map(([id, found]) => ({
      id,
      rule: known.get(id) ?? null,
      findings: found,
      severity: found.map((one) => one.severity).sort((a, b) => place(a) - place(b))[0] ?? "info",
    }))
    .sort((a, b) => place(a.severity) - place(b.severity) || b.findings.length - a.findings.length);
}

/** Whether a finding is on an object of a service: one of its name, or of its name and a version or pod's suffix. */
export function about(finding: HazardFinding, service: string): boolean {
  const { name } = finding.object;
  return name === service || name.startsWith(`${service}-`);
}

/** Rules that have every word of a text in them, or in what they are called in another language. */
export function rulesWith(
  rules: readonly HazardRule[],
  text: string,
  called: (rule: HazardRule) => string = () => "",
): HazardRule[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rules.filter((rule) => {
    const all = `${rule.id} ${rule.family} ${rule.title} ${rule.why} ${called(rule)}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
