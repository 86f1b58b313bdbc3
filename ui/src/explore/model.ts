/** An attribute that some spans or lines have more often than the rest: `GET /api/correlate/different`. */
export interface Difference {
  attribute: string;
  of: "resource" | "span" | "line";
  score: number;
  value?: string;
  /** Shares of those selected and of the rest. */
  inside?: number;
  outside?: number;
  median_inside?: number;
  median_outside?: number;
}

export interface Different {
  signal: "traces" | "logs";
  selected: string;
  inside: number;
  outside: number;
  differences: Difference[];
}

/** A metric that went far from where it was before: `GET /api/correlate`. */
export interface Moved {
  name: string;
  labels: Record<string, string>;
  unit: string;
  service: string;
  before: number | null;
  during: number | null;
  score: number;
}

/** What Prometheus calls a metric that OpenTelemetry names, among the names there are; null when it is not among them. */
export function promName(name: string, known: readonly string[]): string | null {
  const plain = name.replace(/[^A-Za-z0-9_:]/g, "_");
  return known.find((one) => one === plain) ?? known.find((one) => one.startsWith(`${plain}_`)) ?? null;
}

/** The metric to begin with: how long requests take, where that is known. */
export function firstMetric(known: readonly string[]): string | null {
  return known.find((name) => /request_duration|duration_seconds$/.test(name)) ?? known[0] ?? null;
}
