/** What the server says about metrics, logs, traces and profiles, where it is not about two versions. */

import type { LogLine } from "../logs/line";

/** `GET /api/services`. */
export interface Service {
  name: string;
  first_seen: string;
  last_seen: string;
  versions: { version: string; instances: number }[];
}

/** A number at a time as Prometheus and Loki write it. */
export type PromValue = [seconds: number, value: string];
export type Matrix = { metric: Record<string, string>; values: PromValue[] }[];
export type Vector = { metric: Record<string, string>; value: PromValue }[];

/** What a metric says of itself: `GET /prometheus/api/v1/metadata`. */
export interface MetricFacts {
  type: string;
  unit: string;
  help: string;
}

/** `GET /prometheus/api/v1/query_exemplars`. */
export type Exemplars = {
  seriesLabels: Record<string, string>;
  exemplars: { labels: Record<string, string>; value: string; timestamp: number }[];
}[];

/** `GET /api/logs/patterns`. */
export interface Pattern {
  pattern: string;
  example: string;
  total: number;
  new: boolean;
  samples: [seconds: number, lines: number][];
}

/** `GET /loki/api/v1/detected_fields`. */
export interface DetectedField {
  label: string;
  type: string;
  cardinality: number;
  parsers: string[] | null;
}

export type { LogLine };
