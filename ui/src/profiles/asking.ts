import { type Bounds, instant } from "../address/window";
import { apiPath } from "../api/client";
import { formatSelector, quoted, valueIn, withValue } from "../selection/selector";
import type { ProfileType } from "./model";

/** What the address of the profiles says beside who and when. */
export interface ProfilesAddress {
  type: string;
  view: "graph" | "table" | "sandwich";
  find: string;
  frame: string | null;
  function: string;
  /** Compare with: a version, or "before" for the time before; empty compares with nothing. */
  with: string;
}

export function readProfilesAddress(search: URLSearchParams): ProfilesAddress {
  const view = search.get("view");
  return {
    type: search.get("type") ?? "",
    view: view === "table" || view === "sandwich" ? view : "graph",
    find: search.get("find") ?? "",
    frame: search.get("frame"),
    function: search.get("function") ?? "",
    with: search.get("with") ?? "",
  };
}

const range = ({ from, until }: Bounds) => ({ start: instant(from), end: instant(until) });

export function typesPath(selector: string, bounds: Bounds): string {
  return apiPath("/api/profiles/types", { selector, ...range(bounds) });
}

export function flamePath(selector: string, bounds: Bounds, type: string): string {
  return apiPath("/api/profiles/flame", { selector, type, ...range(bounds) });
}

/** The difference to another version, or to the same in the time before. */
export function differencePath(selector: string, bounds: Bounds, type: string, other: string): string {
  const version = valueIn(selector, "service_version");
  const rest = withValue(selector, "service_version", null);
  if (other === "before") {
    const same = version ?? 'service_name=~".+"';
    return apiPath("/api/profiles/diff", {
      selector: rest,
      type,
      ...range(bounds),
      baseline: same,
      candidate: same,
      baseline_start: instant(bounds.from - (bounds.until - bounds.from)),
      baseline_end: instant(bounds.from),
    });
  }
  const candidate = version ?? `service_version!=${quoted(other)}`;
  return apiPath("/api/profiles/diff", {
    selector: rest,
    type,
    ...range(bounds),
    baseline: other,
    candidate,
  });
}

const UNITS: Record<string, string> = { ns: "nanoseconds", By: "bytes", "1": "count" };

/** The course over time, by Pyroscope's API, which names a type with five words. */
export function coursePath(selector: string, { from, until }: Bounds, kept: ProfileType): string {
  const id = [
    kept.family || (kept.type === "cpu" ? "process_cpu" : kept.type.split("_")[0]),
    kept.type,
    UNITS[kept.unit] ?? kept.unit,
    kept.period_type || kept.type,
    kept.period_unit || (UNITS[kept.unit] ?? kept.unit),
  ].join(":");
  const query = `${id}{${selector || formatSelector([{ label: "service_name", operator: "=~", value: ".+" }])}}`;
  return apiPath("/pyroscope/render", {
    query,
    from: String(Math.round(from)),
    until: String(Math.round(until)),
    "max-nodes": "16",
  });
}
