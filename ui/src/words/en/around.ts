import type { Change, Slo } from "../../api/wire";

export const around = {
  changes: "What else changed",
  changesLead:
    "Releases, settings, events and instances around the time, of this service and of those beside it.",
  relations: {
    itself: "itself",
    upstream: "a caller",
    downstream: "one that it calls",
    cluster: "the cluster",
  } as Record<Change["relation"], string>,
  origin: "Where it came from",
  noOrigin: "Nobody has said, and no pipeline run names this version. A pipeline or a person can say it:",
  runs: (version: string) => `Pipeline runs that name ${version}`,
  marked: "Released",
  link: "Link",
  pulls: "Pull requests",
  tag: "Tag",
  run: "Pipeline run",
  facts: { by: "By", environment: "Environment", commit: "Commit", note: "Note" },
  objectives: "Objectives",
  objectivesLead: "At a burn rate of 1 the budget is used up just when its window ends.",
  alerts: { page: "wakes somebody up", ticket: "wants a ticket" } as Record<
    NonNullable<Slo["alert"]>,
    string
  >,
  over: "Over",
  bad: "Bad",
  burn: "Burn rate",
  noHazards: (service: string) => `Nothing was found on the objects of ${service}.`,
  why: "What changed?",
  whyLead: "A service before and after a time, compared by all of its signals, with what changed around it.",
  at: "When, or how long ago",
  howLong: "How long after it",
  ask: "Tell me",
};
