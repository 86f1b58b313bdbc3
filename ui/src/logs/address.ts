import { SEVERITIES } from "./asking";

export const LINE_LIMITS = [1_000, 10_000, 100_000, 1_000_000] as const;

/** What the address of the logs says beside who and when. */
export interface LogsAddress {
  find: string;
  severity: string;
  pipeline: string;
  trace: string;
  view: "lines" | "patterns" | "fields";
  limit: number;
}

export function readLogsAddress(search: URLSearchParams): LogsAddress {
  const view = search.get("view");
  return {
    find: search.get("find") ?? "",
    severity: SEVERITIES.find((name) => name === search.get("severity")) ?? "",
    pipeline: search.get("pipeline") ?? "",
    trace: /^[0-9a-f]{32}$/.test(search.get("trace") ?? "") ? (search.get("trace") ?? "") : "",
    view: view === "patterns" || view === "fields" ? view : "lines",
    limit: LINE_LIMITS.find((limit) => String(limit) === search.get("limit")) ?? LINE_LIMITS[0],
  };
}
