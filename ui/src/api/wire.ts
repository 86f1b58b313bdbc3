/** The JSON that the server answers; docs/architecture.md, "One way out" and "The verdict". */

import type { Parts, Sentences } from "../words/telling";

export type SignalName = "metrics" | "traces" | "logs" | "profiles";
export const SIGNALS: readonly SignalName[] = ["profiles", "metrics", "logs", "traces"];

export type VerdictName = "worse" | "no_worse" | "cannot_tell";
export type SignalState = VerdictName | "no_data";
export type Direction = "worse" | "better" | "moved";

/** `GET /api/status`: which server this is, and where to point an SDK. */
export interface Status {
  version: string;
  uptime_seconds: number;
  endpoints: Record<string, string>;
  data?: string;
  retention?: string;
  /** What was acknowledged and is not stored yet, by kind. */
  journal_bytes?: Record<string, number>;
  storing?: string;
}

export interface LastVerdict {
  verdict: VerdictName;
  confidence: number | null;
  summary: string;
  /** What the summary is made of, for other languages; not there for verdicts of older servers. */
  said?: Parts | null;
  /** The version that it was compared with. */
  baseline?: string;
  at: string;
  page: string;
  /** The rollout that went by it; null when somebody only asked. */
  rollout?: number | null;
}

export interface Release {
  service: string;
  version: string;
  first_seen: string;
  last_seen: string;
  instances: number;
  signals: SignalName[];
  previous: string | null;
  verdict: LastVerdict | null;
  /** What was asked by hand since a rollout decided. */
  asked_since?: LastVerdict | null;
  mark?: Mark | null;
}

/** What somebody said about a release: who, where, from which commit, by which run or pull request (`url`). */
export interface Mark {
  at: string;
  kind: string;
  by?: string;
  environment?: string;
  commit?: string;
  url?: string;
  note?: string;
  made_of?: {
    forge: string;
    repository: string;
    tag: string;
    pull_requests: number[];
    run: string | null;
  } | null;
}

/** Something that changed around: another release, a setting, an event of Kubernetes, instances. */
export interface Change {
  at: string;
  kind: string;
  service: string;
  relation: "itself" | "upstream" | "downstream" | "cluster";
  words: string;
}

/** An objective with its burn rates: `GET /api/slos`. A burn rate of 1 uses up the budget just in time. */
export interface Slo {
  name: string;
  service: string;
  target: number;
  words: string;
  burn: { window_seconds: number; bad: number | null; burn_rate: number | null }[];
  alert: "page" | "ticket" | null;
}

export interface Side {
  version: string;
  start: string;
  end: string;
  instances: number;
}

/** What one signal says. `smallest_effect` is relative: 0.06 means that 6 % would have been seen. */
export interface SignalVerdict {
  state: SignalState;
  tested: number;
  findings: number;
  smallest_effect: number | null;
  note: string;
}

/** Another number of a finding's subject that moved along with it. */
export interface Measured {
  measure: string;
  baseline: number | null;
  candidate: number | null;
  unit: string;
  change: number | null;
}

/** One difference. `change` and `interval` are relative (0.35 is +35 %), or null without a baseline. */
export interface Finding {
  signal: SignalName;
  subject: string;
  direction: Direction;
  title: string;
  measure: string;
  baseline: number | null;
  candidate: number | null;
  unit: string;
  change: number | null;
  interval: [low: number | null, high: number | null] | null;
  p_value: number | null;
  q_value: number | null;
  rank: number;
  examples: string[];
  evidence: { api: string };
  detail?: { also?: Measured[] };
}

/** Findings of one cause, and what may have caused them, the likeliest first; `finding` is a finding's rank. */
export interface Story {
  title: string;
  direction: Direction;
  causes: {
    rank: number;
    kind: string;
    subject: string;
    service: string;
    words: string;
    finding: number | null;
  }[];
  findings: number[];
  links: string[];
}

/** `GET /api/compare`. */
export interface Comparison {
  service: string;
  baseline: Side;
  candidate: Side;
  kind: "canary" | "before_after" | "subsets" | "migration";
  verdict: VerdictName;
  confidence: number | null;
  summary: string;
  /** What the summary is made of, for other languages; not there for verdicts of older servers. */
  said?: Parts | null;
  missing: string[];
  /** What the judge had to assume. */
  notes?: string[];
  signals: Partial<Record<SignalName, SignalVerdict>>;
  findings: Finding[];
  stories?: Story[];
  changes?: Change[];
  took_seconds: number;
  page: string;
  /** What its sentences are made of. */
  sentences?: Sentences;
}

/** `GET /api/traces/durations`: counts per version between n + 1 edges. */
export interface Durations {
  unit: string;
  edges: number[];
  versions: Record<string, number[]>;
}

export interface Series {
  name: string;
  labels: Record<string, string>;
  version: string;
  points: [seconds: number, value: number | null][];
}

/** `GET /api/metrics/range`. */
export interface SeriesAnswer {
  unit: string;
  series: Series[];
}

/** One frame with what it cost, with all it called, in both versions. */
export interface DiffFrame {
  name: string;
  file: string;
  line: number;
  baseline: number;
  candidate: number;
  children: DiffFrame[];
}

/** `GET /api/profiles/diff`; values are scaled to the same total time. */
export interface ProfileDiff {
  type: string;
  unit: string;
  baseline_total: number;
  candidate_total: number;
  root: DiffFrame;
}

/** `GET /api/profiles/types`: what was profiled, and how much of it there is. */
export interface ProfileTypes {
  types: { type: string; unit: string; profiles: number }[];
}
