import { milliseconds } from "../format/instants";

/** A trace in a line: `GET /api/traces`. */
export interface TraceSummary {
  trace_id: string;
  start: string;
  duration_ms: number;
  root: string;
  service: string;
  services: string[];
  spans: number;
  errors: number;
}

export interface SpanEvent {
  time: string;
  name: string;
  attributes: Record<string, unknown>;
}

/** A span: `GET /api/traces/{trace_id}`. */
export interface Span {
  span_id: string;
  parent_span_id: string;
  name: string;
  kind: string;
  start: string;
  duration_ms: number;
  status: "UNSET" | "OK" | "ERROR";
  status_message: string;
  attributes: Record<string, unknown>;
  resource: Record<string, string>;
  scope: string;
  events: SpanEvent[];
  links: { trace_id: string; span_id: string; attributes: Record<string, unknown> }[];
  critical: boolean;
}

export interface Trace {
  trace_id: string;
  /** How many there are: of a very large trace `spans` has those that tell most. */
  total?: number;
  spans: Span[];
}

/** A call between services: `GET /api/traces/graph`. Durations in milliseconds, rate in calls a second. */
export interface Edge {
  client: string;
  server: string;
  kind: "service" | "database" | "messaging";
  calls: number;
  errors: number;
  rate: number;
  p50: number;
  p95: number;
  p99: number;
}

export function serviceOf(span: Span): string {
  return span.resource["service.name"] ?? "";
}

/** Milliseconds since the epoch with their fraction; the wire has nanoseconds. */
export function precise(time: string): number {
  const fraction = /\.\d{3}(\d+)Z$/.exec(time)?.[1];
  const whole = milliseconds(time) ?? 0;
  return fraction === undefined ? whole : whole + Number(`0.${fraction}`);
}
