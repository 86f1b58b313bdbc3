import { type Bounds, instant, stepOf } from "../address/window";
import { apiPath } from "../api/client";
import { quoted } from "../selection/selector";

/** Which lines: of whom, with which text in them, how bad at least, and what a LogQL pipeline makes of them. */
export interface LineQuestion {
  selector: string;
  find: string;
  severity: string;
  /** LogQL stages such as `| json | status >= 500`. */
  pipeline: string;
  trace?: string;
}

export const SEVERITIES = ["debug", "info", "warn", "error"] as const;
const ABOVE: Record<string, string> = {
  debug: "debug|info|warn|error|fatal|critical",
  info: "info|warn|error|fatal|critical",
  warn: "warn|error|fatal|critical",
  error: "error|fatal|critical",
};

/** The whole question as LogQL, as a person could type it into Grafana. */
export function logql({ selector, find, severity, pipeline, trace }: LineQuestion): string {
  const stages = [
    find ? `|= ${quoted(find)}` : "",
    severity ? `| detected_level=~${quoted(ABOVE[severity] ?? severity)}` : "",
    trace ? `| trace_id=${quoted(trace)}` : "",
    pipeline.trim(),
  ];
  return [streamsOf(selector), ...stages].filter(Boolean).join(" ");
}

/** LogQL needs one matcher that does not match nothing. */
export function streamsOf(selector: string): string {
  return selector.trim() === ""
    ? '{service_name=~".+"}'
    : `{${selector.replace(/(^|,)(\s*[\w.]+)/g, dotless)}}`;
}

function dotless(_: string, comma: string, label: string): string {
  return comma + label.replaceAll(".", "_");
}

export function linesPath(question: LineQuestion, bounds: Bounds, limit: number): string {
  return apiPath("/api/logs/query", { query: logql(question), ...range(bounds), limit: String(limit) });
}

export function patternsPath(question: LineQuestion, bounds: Bounds): string {
  const step = String(Math.max(1, stepOf(bounds, 40)));
  return apiPath("/api/logs/patterns", { query: logql(question), ...range(bounds), step });
}

/** What of the streams lies in this time; what is looked for in their lines changes nothing about that. */
export function pricePath({ selector }: LineQuestion, bounds: Bounds): string {
  return apiPath("/api/logs/price", { query: streamsOf(selector), ...range(bounds) });
}

export function range({ from, until }: Bounds): { start: string; end: string } {
  return { start: instant(from), end: instant(until) };
}

/** How many lines of each level there were, over time. */
export function volumePath(question: LineQuestion, bounds: Bounds, step: number): string {
  const query = `sum by (detected_level) (count_over_time(${logql(question)} [${step}s]))`;
  // A count at a time is of the step before it.
  const from = Math.ceil(bounds.from / 1000 / step) * step;
  const until = Math.ceil(bounds.until / 1000 / step) * step;
  return apiPath("/loki/api/v1/query_range", {
    query,
    start: String(from),
    end: String(until),
    step: String(step),
  });
}
