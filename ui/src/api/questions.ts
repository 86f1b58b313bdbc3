import { keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { matrixOfTempo, type TempoSeries } from "../dashboards/asking";
import type { Language } from "../dashboards/model";
import type { Pipelines, Run, RunWhole } from "../delivery/model";
import type { Environments, PlannedChange, Promotion, Question } from "../delivery/promoting";
import type { Pull, PullState, PullWhole, PullWhy, Repository } from "../delivery/pulling";
import type { Different, Moved } from "../explore/model";
import type { HazardFix, HazardRule, Hazards } from "../hazards/model";
import type { Explained, Mesh, NoMesh } from "../mesh/model";
import { type Around, asDifference, type Flame, type ProfileType, type Rendered } from "../profiles/model";
import type { Rollout, RolloutWhole } from "../rollouts/model";
import type { Tokens } from "../settings/tokens";
import type { Edge, Trace, TraceSummary } from "../traces/model";
import { api, apiPath, type CompareQuestion, get, open } from "./client";
import { ApiProblem } from "./problem";
import type {
  DetectedField,
  Exemplars,
  LogLine,
  Matrix,
  MetricFacts,
  Pattern,
  Service,
  Vector,
} from "./signals";
import type { Slo } from "./wire";

export type { Matrix, Vector } from "./signals";

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
        // Our server is often this very machine: it is there when the network is not.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}

/** Milliseconds before the next attempt: what the server said (at most 30 s), else 1 s, 2 s. */
export function waitFor(attempt: number, problem: unknown): number {
  const said = problem instanceof ApiProblem ? problem.retryAfterSeconds : null;
  return Math.min((said ?? 2 ** attempt) * 1000, 30_000);
}

/** A question whose answer is `read` out of what the server says; the path is all it depends on. */
export function ask<Said, Answer>(path: string, read: (said: Said) => Answer, staleTime = 5_000) {
  return queryOptions({
    queryKey: ["get", path],
    queryFn: async ({ signal }) => read(await get<Said>(path, signal)),
    staleTime,
  });
}

/** Answers about a fixed time do not change soon. */
const A_WHILE = 60_000;

/** An answer of Prometheus' API: lines, or one number for all time. */
interface Told {
  data: { resultType: string; result: unknown };
}

function matrixOf({ data }: Told): Matrix {
  if (data.resultType === "matrix") return data.result as Matrix;
  throw new ApiProblem("bad_data", "This expression has no numbers over time.", 200);
}

function vectorOf({ data }: Told): Vector {
  if (data.resultType === "vector") return data.result as Vector;
  if (data.resultType === "scalar") return [{ metric: {}, value: data.result as Vector[number]["value"] }];
  throw new ApiProblem("bad_data", "This expression has no number at one time.", 200);
}

type Numbers<T> = { data: { result: T } };

/** The questions of the page. Each passes on the signal that a navigation or "Stop" aborts. */
export const questions = {
  status: () => queryOptions({ queryKey: ["status"], queryFn: ({ signal }) => api.status(signal) }),
  releases: (limit?: number) =>
    queryOptions({
      queryKey: limit === undefined ? ["releases"] : ["releases", limit],
      queryFn: ({ signal }) => api.releases(limit, signal),
      refetchInterval: LOOK_AGAIN,
    }),
  compare: (question: CompareQuestion) =>
    queryOptions({
      queryKey: ["compare", question],
      queryFn: ({ signal }) => api.compare(question, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  /** A comparison as it was judged then. */
  verdict: (given: string) =>
    queryOptions({
      queryKey: ["compare", "given", given],
      queryFn: ({ signal }) => api.comparison(`/api/verdicts/${given}`, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  /** What changed at a time: the same answer as a comparison's. */
  why: (path: string) =>
    queryOptions({
      queryKey: ["compare", path],
      queryFn: ({ signal }) => api.comparison(path, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  slos: (service: string) =>
    ask(apiPath("/api/slos", { service }), (said: { slos: Slo[] }) => said.slos, 30_000),
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
  services: () => ask("/api/services?since=30d", (said: { services: Service[] }) => said.services, 30_000),
  /** Numbers over time, of Prometheus' or Loki's API. */
  logNumbers: (path: string) => ask(path, (said: Numbers<Matrix>) => said.data.result, A_WHILE),
  logVector: (path: string) => ask(path, (said: Numbers<Vector>) => said.data.result, A_WHILE),
  metricRange: (path: string) => ask(path, matrixOf, A_WHILE),
  metricInstant: (path: string) => ask(path, vectorOf, A_WHILE),
  metricFacts: () =>
    ask(
      "/prometheus/api/v1/metadata",
      (said: { data: Record<string, MetricFacts[]> }) =>
        Object.fromEntries(
          Object.entries(said.data).flatMap(([name, [facts]]) =>
            facts === undefined ? [] : [[name, facts]],
          ),
        ),
      30_000,
    ),
  exemplars: (path: string) => ask(path, (said: { data: Exemplars }) => said.data, A_WHILE),
  traces: (path: string) => ask(path, (said: { traces: TraceSummary[] }) => said.traces, A_WHILE),
  trace: (id: string) => ask(`/api/traces/${encodeURIComponent(id)}`, (said: Trace) => said, A_WHILE),
  serviceGraph: (path: string) => ask(path, (said: { edges: Edge[] }) => said.edges, A_WHILE),
  profileTypesFull: (path: string) => ask(path, (said: { types: ProfileType[] }) => said.types, A_WHILE),
  flame: (path: string) =>
    ask(path, (said: Flame) => ({ unit: said.unit, root: asDifference(said.root) }), A_WHILE),
  profileCourse: (path: string) => ask(path, (said: Rendered) => said, A_WHILE),
  /** Numbers over time in any of the three languages. */
  numbers: (path: string, language: Language) =>
    ask(
      path,
      (said: Told | { series: TempoSeries[] }): Matrix =>
        language === "traceql" && "series" in said ? matrixOfTempo(said.series) : matrixOf(said as Told),
      A_WHILE,
    ),
  labelValues: (path: string) => ask(path, (said: { data: string[] }) => said.data, A_WHILE),
  dashboards: () =>
    ask(
      "/api/dashboards",
      (said: { folder: string; dashboards: { name: string; content: unknown; error?: string }[] }) => said,
    ),
  rollouts: (limit?: number) => ({
    ...ask(
      apiPath("/api/rollouts", { limit: limit?.toString() }),
      (said: { rollouts: Rollout[] }) => said.rollouts,
      1_000,
    ),
    placeholderData: keepPreviousData,
    refetchInterval: 3_000,
  }),
  rollout: (id: string) => ({
    ...ask(`/api/rollouts/${encodeURIComponent(id)}`, (said: RolloutWhole) => said, 500),
    refetchInterval: 2_000,
  }),
  pipelines: () => ({ ...ask("/api/pipelines", (said: Pipelines) => said), refetchInterval: 15_000 }),
  tokens: () => ask("/api/tokens", (said: Tokens) => said),
  runs: (pipeline: string, value = "", limit?: number) => ({
    ...ask(
      apiPath("/api/pipelines/runs", { pipeline, value, limit: limit?.toString() }),
      (said: { runs: Run[] }) => said.runs,
      500,
    ),
    placeholderData: keepPreviousData,
    refetchInterval: 2_000,
  }),
  run: (name: string) =>
    queryOptions({
      queryKey: ["get", `/api/pipelines/runs/${encodeURIComponent(name)}/tasks`],
      queryFn: ({ signal }) => get<RunWhole>(`/api/pipelines/runs/${encodeURIComponent(name)}/tasks`, signal),
      staleTime: 300,
      refetchInterval: ({ state }) => (state.data?.finished ? false : 1_000),
    }),
  mesh: (path: string) => ({ ...ask(path, (said: Mesh | NoMesh) => said), refetchInterval: 15_000 }),
  explained: (path: string) => ask(path, (said: Explained) => said),
  environments: () => ({
    ...ask("/api/environments", (said: Environments) => said),
    refetchInterval: 5_000,
  }),
  plannedChange: ({ service, version, to }: Question) =>
    ask(
      apiPath(`/api/environments/${encodeURIComponent(to)}/change`, { service, version }),
      (said: PlannedChange) => said,
    ),
  promotions: (limit?: number) => ({
    ...ask(
      apiPath("/api/promotions", { limit: limit?.toString() }),
      (said: { promotions: Promotion[] }) => said.promotions,
      500,
    ),
    placeholderData: keepPreviousData,
    refetchInterval: 2_000,
  }),
  repositories: () => ({
    ...ask("/api/forge/repositories", (said: { repositories: Repository[] }) => said.repositories),
    refetchInterval: 15_000,
  }),
  pulls: (repository: string, state: PullState, limit?: number) => ({
    ...ask(
      apiPath(`/api/forge/repositories/${repository}/pulls`, { state, limit: limit?.toString() }),
      (said: { pulls: Pull[] }) => said.pulls,
    ),
    refetchInterval: 5_000,
  }),
  pull: (repository: string, number: string) => ({
    ...ask(
      `/api/forge/repositories/${repository}/pulls/${number}`,
      (said: { pull: PullWhole }) => said.pull,
      500,
    ),
    refetchInterval: 3_000,
  }),
  /** The numbers of the pull requests that the rules have heard of. */
  judgedPulls: (repository: string) => ({
    ...ask(apiPath("/api/delivery/pulls", { repository }), (said: { pulls: { number: number }[] }) =>
      said.pulls.map(({ number }) => number),
    ),
    refetchInterval: 5_000,
  }),
  pullWhy: (repository: string, number: number) => ({
    ...ask(`/api/delivery/pulls/${repository}/${number}/why`, (said: PullWhy) => said, 500),
    refetchInterval: 3_000,
  }),
  pullDifference: (repository: string, number: number) =>
    queryOptions({
      queryKey: ["text", repository, number],
      queryFn: async ({ signal }) =>
        (await open(`/api/forge/repositories/${repository}/pulls/${number}/diff`, signal)).text(),
      staleTime: A_WHILE,
    }),
  hazards: () => ({ ...ask("/api/hazards", (said: Hazards) => said), refetchInterval: 15_000 }),
  hazardFix: (fingerprint: string) =>
    ask(`/api/hazards/findings/${encodeURIComponent(fingerprint)}/fix`, (said: HazardFix) => said, A_WHILE),
  hazardRules: () => ask("/api/hazards/rules", (said: { rules: HazardRule[] }) => said.rules, 600_000),
  different: (path: string) => ask(path, (said: Different) => said, A_WHILE),
  aroundFunction: (path: string) => ask(path, (said: Around) => said, A_WHILE),
  moved: (path: string) =>
    ask(path, (said: { metrics: { examples: Moved[] } }) => said.metrics.examples, A_WHILE),
  price: (path: string) =>
    ask(path, (said: { price: { rows: number; bytes: number; seconds: number } }) => said.price, A_WHILE),
  patterns: (path: string) => ask(path, (said: { patterns: Pattern[] }) => said.patterns, A_WHILE),
  detectedFields: (path: string) =>
    ask(path, (said: { fields: DetectedField[] | null }) => said.fields ?? [], A_WHILE),
  /** A few lines at once; for many, see `logs/useLines`. */
  lines: (path: string) =>
    queryOptions({
      queryKey: ["lines", path],
      queryFn: async ({ signal }) => {
        const text = await (await open(path, signal)).text();
        const said = text.split("\n").filter((line) => line.startsWith('{"log"'));
        return said.map((line) => (JSON.parse(line) as { log: LogLine }).log);
      },
      staleTime: A_WHILE,
    }),
};
