import { QueryClient, queryOptions } from "@tanstack/react-query";
import { api, type CompareQuestion } from "./client";
import { ApiProblem } from "./problem";

/** How long the page waits before it looks for new releases, in milliseconds. */
const LOOK_AGAIN = 10_000;

/** Asks again (three times in all) only where that may help, and waits as long as the server said. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, problem) => failures < 2 && problem instanceof ApiProblem && problem.passing,
        retryDelay: (attempt, problem) => waitFor(attempt, problem),
        staleTime: 5_000,
        refetchOnWindowFocus: false,
      },
    },
  });
}

/** Milliseconds before the next attempt: what the server said (at most 30 s), else 1 s, 2 s. */
export function waitFor(attempt: number, problem: unknown): number {
  const said = problem instanceof ApiProblem ? problem.retryAfterSeconds : null;
  return Math.min((said ?? 2 ** attempt) * 1000, 30_000);
}

/** The questions of the page. Each passes on the signal that a navigation or "Stop" aborts. */
export const questions = {
  status: () => queryOptions({ queryKey: ["status"], queryFn: ({ signal }) => api.status(signal) }),
  releases: () =>
    queryOptions({
      queryKey: ["releases"],
      queryFn: ({ signal }) => api.releases(signal),
      refetchInterval: LOOK_AGAIN,
    }),
  compare: (question: CompareQuestion) =>
    queryOptions({
      queryKey: ["compare", question],
      queryFn: ({ signal }) => api.compare(question, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  series: (path: string) =>
    queryOptions({ queryKey: ["series", path], queryFn: ({ signal }) => api.series(path, signal) }),
  durations: (path: string) =>
    queryOptions({ queryKey: ["durations", path], queryFn: ({ signal }) => api.durations(path, signal) }),
  profileTypes: (path: string) =>
    queryOptions({
      queryKey: ["profileTypes", path],
      queryFn: ({ signal }) => api.profileTypes(path, signal),
    }),
  profileDiff: (path: string) =>
    queryOptions({ queryKey: ["profileDiff", path], queryFn: ({ signal }) => api.profileDiff(path, signal) }),
};
