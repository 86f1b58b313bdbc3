/** Repositories and pull requests of the built-in forge: `/api/forge/…`. */

export interface Repository {
  name: string;
  description: string;
  default_branch: string;
  clone_url: string;
  open_pulls: number;
}

interface Tip {
  repository: string;
  ref: string;
  sha: string;
}

export type PullState = "open" | "merged" | "closed";

export interface Pull {
  repository: string;
  number: number;
  title: string;
  author: string;
  head: Tip;
  base: Tip;
  body: string;
  state: PullState;
  draft: boolean;
  labels: string[];
  assignees: string[];
  requested_reviewers: string[];
  mergeable: boolean | null;
  merge_sha: string;
  created: string;
  updated: string;
}

export interface Said {
  author: string;
  body: string;
  at: string;
  state?: string;
  /** The line of a file that it is about, where it is about one: at the head, from 1. */
  path?: string;
  line?: number;
}

export interface PullWhole extends Pull {
  files: { path: string; additions: number; deletions: number; change: string; patch: string }[];
  files_left_out: number;
  commits: { sha: string; message: string; login: string; author_name: string; at: string }[];
  comments: Said[];
  reviews: Said[];
  statuses: { state: string; description: string; context: string; url: string; at: string }[];
}

/** Why it does not merge, by the rules of its repository: `/api/delivery/pulls/{owner}/{name}/{number}/why`. */
export interface PullWhy {
  merges: boolean;
  reasons: string[];
  pool: { words: string };
  jobs: { job: string; words: string }[];
  decisions: {
    /** Seconds since the epoch. */
    at: number;
    event: string;
    by: string;
    did: { effect: string; state: string; reason: string }[];
  }[];
}

/** Facts that stand against a merge, as the forge itself knows them. */
export type Obstacle =
  | { kind: "draft" }
  | { kind: "conflict" }
  | { kind: "check"; state: string; context: string; description: string }
  | { kind: "changes"; by: string };

/** What of a pull request's own state keeps it from being merged; nothing of one that has ended. */
export function obstacles(pull: PullWhole): Obstacle[] {
  if (pull.state !== "open") return [];
  const last = new Map(
    pull.reviews
      .filter(({ state }) => state === "approved" || state === "changes_requested")
      .map((review) => [review.author, review.state]),
  );
  return [
    ...(pull.draft ? [{ kind: "draft" } as const] : []),
    ...(pull.mergeable === false ? [{ kind: "conflict" } as const] : []),
    ...pull.statuses
      .filter(({ state }) => state !== "success")
      .map(({ state, context, description }) => ({ kind: "check", state, context, description }) as const),
    ...[...last]
      .filter(([, state]) => state === "changes_requested")
      .map(([by]) => ({ kind: "changes", by }) as const),
  ];
}

/** The rules' reasons without those that the pull request's own state has said already: a check's, a conflict's. */
export function furtherReasons(reasons: readonly string[], against: readonly Obstacle[]): string[] {
  const said = against.map((one) =>
    one.kind === "check" ? `${one.context} is ` : one.kind === "conflict" ? "it conflicts with " : null,
  );
  return reasons.filter((reason) => !said.some((start) => start !== null && reason.startsWith(start)));
}

/** The page of a pull request. */
export function pullPath(repository: string, number: number): string {
  const [owner = "", name = ""] = repository.split("/");
  return `/delivery/pulls/${encodeURIComponent(owner)}/${encodeURIComponent(name)}/${number}`;
}

/** A person's first and last word on things: discussion and reviews in the order in which they were said. */
export function discussion(pull: PullWhole): Said[] {
  return [...pull.comments, ...pull.reviews].sort((a, b) => a.at.localeCompare(b.at));
}
