import type { Parts } from "../words/telling";

/** A rollout: `GET /api/rollouts`. Weights in percent of the traffic. */
export interface Rollout {
  id: number;
  service: string;
  baseline: string;
  candidate: string;
  state: "running" | "paused" | "rolling_back" | "rolled_back" | "succeeded";
  reason: string;
  said?: Parts | null;
  step: number;
  phase: string;
  weight: number;
  verdict: "worse" | "no_worse" | "cannot_tell" | null;
  started: string;
  since: string;
  ended: string | null;
  steps: RolloutStep[];
  checks: { name: string; least: number | null; most: number | null; misses: number }[];
  traffic: { by: string };
  not_mapped: string[];
}

/** `requests` is how many the step waits for, `served` how many there are so far; null where none are waited for. */
export interface RolloutStep {
  weight: number | null;
  hold_seconds: number | null;
  requests: number | null;
  served: number | null;
  words: string;
  said?: Parts | null;
  state: StepState;
}

export type StepState = "done" | "now" | "paused" | "waiting" | "failed" | "skipped";

export interface RolloutEvent {
  at: string;
  step: number;
  kind: string;
  words: string;
  said?: Parts | null;
  by: string;
  evidence: Record<string, unknown>;
}

/** `GET /api/rollouts/{id}`. */
export type RolloutWhole = Rollout & { events: RolloutEvent[] };

export const ACTIONS = ["pause", "resume", "promote", "abort"] as const;
export type Action = (typeof ACTIONS)[number];

/** What a person can do to a rollout as it stands. */
export function possible(rollout: Rollout): Action[] {
  if (rollout.state === "running") return ["pause", "promote", "abort"];
  if (rollout.state === "paused") return ["resume", "promote", "abort"];
  return [];
}
