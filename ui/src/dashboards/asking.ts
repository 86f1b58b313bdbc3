import { type Bounds, stepOf } from "../address/window";
import { apiPath } from "../api/client";
import type { Matrix } from "../api/signals";
import { rangePath } from "../metrics/asking";
import type { Language } from "./model";

/** Where a query's numbers over time are, and at which step. */
export function numbersPath(
  query: string,
  language: Language,
  bounds: Bounds,
): { path: string; step: number } {
  if (language === "promql") return rangePath(query, bounds);
  const step = stepOf(bounds, 120);
  const from = Math.floor(bounds.from / 1000 / step) * step;
  const until = Math.ceil(bounds.until / 1000 / step) * step;
  const range = { start: String(from), end: String(until) };
  if (language === "logql") {
    return { path: apiPath("/loki/api/v1/query_range", { query, ...range, step: String(step) }), step };
  }
  return { path: apiPath("/tempo/api/metrics/query_range", { q: query, ...range, step: `${step}s` }), step };
}

/** Tempo's series: labels as OTLP key values, times in milliseconds. */
export interface TempoSeries {
  labels: { key: string; value: { stringValue?: string; intValue?: string; doubleValue?: number } }[];
  samples: { timestampMs: string; value?: number }[];
}

export function matrixOfTempo(series: TempoSeries[]): Matrix {
  return series.map(({ labels, samples }) => ({
    metric: Object.fromEntries(
      labels.map(({ key, value }) => [
        key,
        String(value.stringValue ?? value.intValue ?? value.doubleValue ?? ""),
      ]),
    ),
    values: samples.map(({ timestampMs, value }) => [Number(timestampMs) / 1000, String(value ?? 0)]),
  }));
}
