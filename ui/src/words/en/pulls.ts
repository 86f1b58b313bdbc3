import type { PullState } from "../../delivery/pulling";

const plural = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const pulls = {
  title: "Pull requests",
  noRepository: "The built-in forge has no repository that you may see",
  noRepositoryLead: "Make one and push to it; its pull requests then stand here:",
  states: { open: "Open", merged: "Merged", closed: "Closed" } as Record<PullState, string>,
  nonePulls: (state: string) => `No pull request is ${state}.`,
  of: (repository: string) => `Pull requests of ${repository}`,
  draft: "draft",
  conflict: "conflicts",
  description: "Description",
  against: "It does not merge",
  nothingAgainst: "Nothing of its own stands against a merge",
  isDraft: "It is a draft.",
  conflicts: (branch: string) => `It conflicts with ${branch}.`,
  wantsChanges: (login: string) => `${login} asked for changes.`,
  decided: "What was done at each event",
  labels: "Labels",
  reviewers: "Reviews wanted of",
  checks: "Checks",
  noChecks: "No check has said anything of its newest commit.",
  checkStates: {
    pending: "still runs",
    success: "passed",
    failure: "failed",
    error: "broke",
  } as Record<string, string>,
  said: "What was said",
  nothingSaid: "Nobody has said anything yet.",
  reviewStates: {
    approved: "approves",
    changes_requested: "asks for changes",
    commented: "comments",
  } as Record<string, string>,
  files: (n: number) => plural(n, "file changed", "files changed"),
  changes: "Changes",
};
