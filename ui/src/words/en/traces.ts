import type { Example } from "../../traces/CompareWith";

const plural = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const traces = {
  list: "Traces",
  graph: "Service graph",
  operation: "Operation",
  atLeast: "At least this long",
  atLeastExample: "at least, such as 100ms",
  onlyErrors: "Only with errors",
  searching: "Looking for traces",
  none: "No trace fits. Try a longer time, or fewer conditions.",
  noCalls: "No service called another in this time. A call needs a client span and the server span under it.",
  points: "Traces by when they began and how long they took; a click opens one",
  began: "Began",
  root: "Root",
  spans: "Spans",
  errors: "Errors",
  services: "Services",
  limited: (n: number) => `The newest ${n} are shown; there may be more.`,
  trace: (id: string) => `Trace ${id}`,
  spanCount: (n: number, of?: number) =>
    of && of > n ? `${n.toLocaleString("en")} of ${plural(of, "span", "spans")}` : plural(n, "span", "spans"),
  errorCount: (n: number) => plural(n, "error", "errors"),
  ways: "From here",
  waterfall: "Spans in the order of the calls",
  legend: (n: string) =>
    `${n} spans, strong and underlined, are the critical path: what the trace waited for. Dots are log lines. Left and right arrow fold and unfold.`,
  span: "Span",
  own: (time: string) => `${time} by itself`,
  critical: "on the critical path",
  failed: "failed",
  attributes: "Attributes",
  links: "Links",
  resource: "Resource",
  compare: "Compare with",
  compareEnd: "Back to the waterfall",
  examples: {
    fastest: "the fastest",
    median: "one in the middle",
    slowest: "the slowest",
    failed: "one that failed",
  } as Record<Example, string>,
  comparison: "Two traces by operation",
  comparisonLead:
    "What each operation spent by itself, without what it called; the greatest difference first.",
  thisOne: "This trace",
  otherOne: "The other",
  caller: "Caller",
  called: "Called",
  calls: "Calls",
};
