import { type Bounds, stepOf } from "../address/window";

/** What stands behind `$name`: values that were chosen; all of them when it is empty. */
export type Chosen = Record<string, string[]>;

const BUILT_IN = ["__rate_interval", "__interval", "__interval_ms", "__range", "__range_s", "__auto"];
const REFERENCE = /\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g;

/** A query with its variables filled in, as Grafana does it. A name that is not known stays as it is. */
export function filled(query: string, chosen: Chosen, bounds: Bounds): string {
  return query.replace(REFERENCE, (whole, braced, format, bracketed, other, plain) => {
    const name = (braced ?? bracketed ?? plain) as string;
    if (BUILT_IN.includes(name)) return ofTime(name, bounds);
    if (!Object.hasOwn(chosen, name)) return whole;
    return written(chosen[name] ?? [], (format ?? other) as string | undefined);
  });
}

function ofTime(name: string, bounds: Bounds): string {
  const step = stepOf(bounds, 240);
  const range = Math.max(1, Math.round((bounds.until - bounds.from) / 1000));
  if (name === "__range") return `${range}s`;
  if (name === "__range_s") return String(range);
  if (name === "__interval_ms") return String(step * 1000);
  if (name === "__interval") return `${step}s`;
  return `${Math.max(60, 4 * step)}s`;
}

function written(values: string[], format: string | undefined): string {
  if (values.length === 0) return ".+";
  if (format === "raw" || format === "text") return values.join(",");
  if (format === "csv") return values.join(",");
  if (format === "pipe") return values.join("|");
  // One value alone is also right after `=`, where an escaped one would not be.
  if (values.length === 1 && format !== "regex") return inString(values[0] ?? "");
  return inString(values.map(escaped).join("|"));
}

function escaped(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** References stand inside of quotes: what would end them is escaped. */
function inString(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** The names that a text refers to, apart from those of time. */
export function namesIn(text: string): string[] {
  const found = [...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[3] ?? match[5] ?? "");
  return [...new Set(found)].filter((name) => name !== "" && !BUILT_IN.includes(name));
}

/** `{{label}}` filled in; without a legend, the labels themselves. */
export function legendOf(legend: string | undefined, labels: Record<string, string>): string | null {
  if (!legend || legend === "__auto") return null;
  return legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim() || null;
}
