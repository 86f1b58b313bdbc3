import type { Box } from "../graphs/layered";

/** What can be started: `GET /api/pipelines`; `directory` is null where the server runs no pipelines. */
export interface Pipelines {
  directory: string | null;
  pipelines: Startable[];
}

export interface Startable {
  kind: string;
  name: string;
  description: string;
  params: { name: string; type: string; description: string; default: unknown }[];
  tasks: number;
}

/** A run as a row: `GET /api/pipelines/runs`. `status` is Tekton's: True, False, or Unknown while it goes on. */
export interface Run {
  name: string;
  kind: string;
  pipeline: string;
  started: string;
  duration_seconds: number;
  status: "True" | "False" | "Unknown";
  reason: string;
  uid: string;
  trace_id: string;
}

export const TASK_STATES = ["waiting", "running", "succeeded", "failed", "cancelled", "skipped"] as const;
export type TaskState = (typeof TASK_STATES)[number];

export interface Step {
  name: string;
  exit_code: number | null;
  reason: string;
  started: string | null;
  finished: string | null;
}

export interface Task {
  name: string;
  after: string[];
  finally: boolean;
  state: TaskState;
  reason: string;
  message: string;
  started: string | null;
  finished: string | null;
  runs: string[];
  retries: number;
  steps: Step[];
  results: Result[];
}

export interface Result {
  name: string;
  value: unknown;
}

/** One run with its tasks: `GET /api/pipelines/runs/{run}/tasks`. */
export interface RunWhole extends Run {
  message: string;
  finished: string | null;
  labels: Record<string, string>;
  params: Result[];
  results: Result[];
  tasks: Task[];
}

/** A run's state in the words of a task's. */
export function stateOf(run: Run): TaskState {
  if (run.status === "True") return "succeeded";
  if (run.status === "False") return /^(Cancelled|Stopped)/.test(run.reason) ? "cancelled" : "failed";
  return run.reason === "Running" ? "running" : "waiting";
}

/** How long a task has taken or takes, in seconds; null before it began. */
export function lengthOf(task: Task, now: number): number | null {
  if (task.started === null) return null;
  const until = task.finished === null ? now : Date.parse(task.finished);
  return Math.max(0, (until - Date.parse(task.started)) / 1000);
}

/** A result or parameter as text: what is no text is JSON. */
export const valueText = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

export interface Arrow {
  from: string;
  to: string;
  /** Towards a task that comes last whatever happens. */
  last: boolean;
}

/** The arrows of a graph: none that longer ways say already, and from every end to the tasks that come last. */
export function arrowsOf(tasks: readonly Task[]): Arrow[] {
  const after = new Map(tasks.map((task) => [task.name, task.after]));
  const above = (name: string, seen = new Set<string>()): Set<string> => {
    for (const parent of after.get(name) ?? []) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      above(parent, seen);
    }
    return seen;
  };
  const arrows = tasks.flatMap((task) => {
    const implied = new Set(task.after.flatMap((parent) => [...above(parent)]));
    return task.after
      .filter((parent) => !implied.has(parent))
      .map((from) => ({ from, to: task.name, last: false }));
  });
  const sources = new Set(arrows.map(({ from }) => from));
  const ends = tasks.filter((task) => !task.finally && !sources.has(task.name));
  const last = tasks.filter((task) => task.finally);
  return [
    ...arrows,
    ...last.flatMap((to) => ends.map((from) => ({ from: from.name, to: to.name, last: true }))),
  ];
}

/** The boxes of a graph: as wide as their names need, within reason. */
export function boxesOf(tasks: readonly Task[]): Box[] {
  return tasks.map(({ name }) => ({
    id: name,
    width: Math.min(230, Math.max(152, 46 + name.length * 8)),
    height: 46,
  }));
}

/** A line of a run's log: `[task : step] text`. */
export interface RunLine {
  task: string;
  step: string;
  text: string;
}

/** Reads a line of the log; one without a mark belongs to nobody. */
export function readRunLine(raw: string): RunLine {
  const found = /^\[(.+?) : (.*?)\] (.*)$/s.exec(raw);
  return found === null
    ? { task: "", step: "", text: raw }
    : { task: found[1] ?? "", step: found[2] ?? "", text: found[3] ?? "" };
}
