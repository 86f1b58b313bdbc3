import { type Bounds, instant } from "../address/window";
import { apiPath } from "../api/client";

export interface TraceQuestion {
  selector: string;
  operation: string;
  min: string;
  errors: boolean;
  /** TraceQL; then nothing else is asked. */
  q: string;
}

export function readTraceQuestion(search: URLSearchParams): TraceQuestion {
  return {
    selector: search.get("selector") ?? "",
    operation: search.get("operation") ?? "",
    min: search.get("min") ?? "",
    errors: search.get("errors") === "1",
    q: search.get("q") ?? "",
  };
}

/** So many traces are listed. */
export const MOST = 200;

export function tracesPath(question: TraceQuestion, { from, until }: Bounds, limit = MOST): string {
  const range = { start: instant(from), end: instant(until), limit: String(limit) };
  if (question.q) return apiPath("/api/traces", { q: question.q, ...range });
  return apiPath("/api/traces", {
    selector: question.selector,
    operation: question.operation,
    min_duration: question.min,
    errors: question.errors ? "1" : null,
    ...range,
  });
}
