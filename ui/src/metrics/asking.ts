import { type Bounds, stepOf } from "../address/window";
import { apiPath } from "../api/client";
import type { MetricFacts } from "../api/signals";
import { type Matcher, normal, parseSelector, quoted } from "../selection/selector";

/** What Prometheus calls the labels by which we know a service (OpenTelemetry's mapping to Prometheus). */
const PROMETHEUS_NAMES: Record<string, string> = { service_name: "job", service_instance_id: "instance" };

function promMatcher({ label, operator, value }: Matcher): string {
  const name = normal(label);
  return `${PROMETHEUS_NAMES[name] ?? name}${operator}${quoted(value)}`;
}

export function rangePath(query: string, bounds: Bounds): { path: string; step: number } {
  const step = stepOf(bounds, 240);
  const from = Math.floor(bounds.from / 1000 / step) * step;
  const until = Math.ceil(bounds.until / 1000 / step) * step;
  const path = apiPath("/prometheus/api/v1/query_range", {
    query,
    start: String(from),
    end: String(until),
    step: String(step),
  });
  return { path, step };
}

export function instantPath(query: string, { until }: Bounds): string {
  return apiPath("/prometheus/api/v1/query", { query, time: String(Math.round(until / 1000)) });
}

export function exemplarsPath(query: string, { from, until }: Bounds): string {
  return apiPath("/prometheus/api/v1/query_exemplars", {
    query,
    start: String(from / 1000),
    end: String(until / 1000),
  });
}

/** How far back a rate looks: four steps, but at least a minute. */
export function rateRange(bounds: Bounds): string {
  const seconds = Math.max(60, 4 * stepOf(bounds, 240));
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** A first question to a metric: what of it people mostly look at, each version by itself. */
export function firstQuery(name: string, type: string, selector: string, bounds: Bounds): string {
  const { own, target } = split(selector);
  const back = rateRange(bounds);
  if (type === "histogram") {
    const each = `rate(${name}_bucket${own}[${back}]) * on (job, instance) group_left (service_version) target_info${target}`;
    return `histogram_quantile(0.95, sum by (le, job, service_version) (${each}))`;
  }
  const numbers = type === "counter" ? `rate(${name}${own}[${back}])` : `${name}${own}`;
  return target === "" ? numbers : `${numbers} and on (job, instance) target_info${target}`;
}

/** What a metric's series carry themselves, and what only their target does (`target_info`). */
function split(selector: string): { own: string; target: string } {
  const matchers = parseSelector(selector) ?? [];
  const isOwn = ({ label }: Matcher) => Object.hasOwn(PROMETHEUS_NAMES, normal(label));
  const text = (some: Matcher[]) => (some.length === 0 ? "" : `{${some.map(promMatcher).join(",")}}`);
  return { own: text(matchers.filter(isOwn)), target: text(matchers.filter((one) => !isOwn(one))) };
}

/** The unit of an expression's values, where it is about one metric and keeps or derives its unit; else "". */
export function unitOf(query: string, facts: Record<string, MetricFacts>): string {
  // Labels taken over from `target_info` change no number.
  const numbers = query.replace(/(\*|\band)\s+on\s*\([^)]*\)\s*(group_left\s*\([^)]*\)\s*)?target_info/g, "");
  const names = new Set(numbers.match(/[A-Za-z_:][\w:]*/g) ?? []);
  const known = [...names].flatMap((name) => {
    const base = [name, name.replace(/_(bucket|sum|count|total)$/, "")].find((one) =>
      Object.hasOwn(facts, one),
    );
    return base === undefined ? [] : [{ name, unit: facts[base]?.unit ?? "" }];
  });
  const one = known[0];
  if (known.length !== 1 || one === undefined || /[/*]\s*[\w({]/.test(numbers)) return "";
  const rated = /\b(rate|irate|deriv)\s*\(/.test(query);
  if (/\bhistogram_(quantile|avg)\s*\(/.test(query)) return one.unit;
  if (one.name.endsWith("_count")) return rated ? "/s" : "";
  if (one.name.endsWith("_bucket")) return rated ? "/s" : "";
  return rated ? `${one.unit}/s` : one.unit;
}
