import type { Action, Rollout, StepState } from "../../rollouts/model";

export const rollouts = {
  title: "Rollouts",
  one: (id: string) => `Rollout ${id}`,
  none: "No rollout yet",
  noneLead:
    "A rollout shifts the traffic step by step and asks at each of them whether the new version is worse. Start one:",
  states: {
    running: "Running",
    paused: "Paused",
    rolling_back: "Rolling back",
    rolled_back: "Rolled back",
    succeeded: "Succeeded",
  } as Record<Rollout["state"], string>,
  step: {
    done: "done",
    now: "now",
    paused: "paused",
    waiting: "to come",
    failed: "failed",
    skipped: "skipped",
  } as Record<StepState, string>,
  steps: "Steps",
  pause: "Pause",
  served: (served: number, wanted: number) => `${served} of ${wanted} requests`,
  weight: (version: string, percent: number) => `${version} has ${percent} % of the traffic`,
  compare: "Compare the versions",
  notMapped: "What the plan asks and Pilothouse does not do",
  events: "What happened",
  actions: { pause: "Pause", resume: "Resume", promote: "Promote", abort: "Abort" } as Record<Action, string>,
  reallyAbort: "Really abort and roll back",
};
export const causes = {
  title: "What belongs together, and its likely cause",
  kinds: {
    function: "code",
    memory: "memory",
    dependency: "dependency",
    operation: "operation",
    error: "error",
    change: "change around it",
    symptom: "symptom",
  } as Record<string, string>,
};
