import {
  type Dashboard,
  type DashboardPanel,
  isObject,
  type Language,
  type PanelType,
  type Variable,
} from "./model";

/** A Grafana dashboard as ours, and what of it could not be taken over, in words. */
export interface Import {
  dashboard: Dashboard;
  lost: string[];
}

const PANELS: Record<string, PanelType> = {
  timeseries: "timeseries",
  graph: "timeseries",
  barchart: "timeseries",
  stat: "stat",
  singlestat: "stat",
  gauge: "stat",
  bargauge: "stat",
  table: "table",
  "table-old": "table",
  logs: "logs",
  heatmap: "heatmap",
};
const UNITS: Record<string, string> = {
  s: "s", ms: "ms", ns: "ns", µs: "us", m: "min", h: "h", bytes: "By", decbytes: "By", Bps: "By/s", binBps: "By/s",
  percent: "%", reqps: "{requests}/s", rps: "{reads}/s", wps: "{writes}/s", ops: "{operations}/s", cps: "{counts}/s",
  bps: "bit/s", hertz: "Hz", celsius: "Cel", dtdurations: "s", dtdurationms: "ms", iops: "{operations}/s", pps: "{packets}/s", short: "", none: "", percentunit: "1",
}; // biome-ignore format: a table reads better in rows
const SOURCES: Record<string, Language> = { prometheus: "promql", loki: "logql", tempo: "traceql" };

/** Whether a file's content looks like a dashboard of Grafana. */
export function isGrafana(content: unknown): content is Record<string, unknown> {
  const inner = isObject(content) && isObject(content.dashboard) ? content.dashboard : content;
  return (
    isObject(inner) &&
    ("schemaVersion" in inner || "templating" in inner || "rows" in inner || "__inputs" in inner)
  );
}

/** Takes over panels of metrics and logs (Grafana's "Dashboard JSON model"), and tells what it leaves. */
export function fromGrafana(content: Record<string, unknown>): Import {
  const inner = isObject(content.dashboard) ? content.dashboard : content;
  const lost: string[] = [];
  const panels = allPanels(inner).flatMap((panel) => panelOf(panel, lost));
  const variables = list(isObject(inner.templating) ? inner.templating.list : []).flatMap((one) =>
    variableOf(one, lost),
  );
  const annotations = list(isObject(inner.annotations) ? inner.annotations.list : []).filter(
    (one) => one.builtIn !== 1,
  );
  if (annotations.length > 0)
    lost.push(`Annotations: ${annotations.map((one) => text(one.name)).join(", ")}`);
  if (list(inner.links).length > 0) lost.push("Links of the dashboard");
  const description = text(inner.description);
  return {
    dashboard: {
      title: text(inner.title) || "Grafana",
      ...(description ? { description } : {}),
      variables,
      panels,
    },
    lost,
  };
}

type Json = Record<string, unknown>;

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Panels in rows and in collapsed rows are panels too. */
function allPanels(dashboard: Json): Json[] {
  const direct = [...list(dashboard.panels), ...list(dashboard.rows).flatMap((row) => list(row.panels))];
  return direct.flatMap((panel) => (panel.type === "row" ? list(panel.panels) : [panel]));
}

function panelOf(panel: Json, lost: string[]): DashboardPanel[] {
  const title = text(panel.title) || text(panel.type);
  if (isObject(panel.libraryPanel)) {
    lost.push(`${title}: a panel of Grafana's library, which is not in the file`);
    return [];
  }
  const type = PANELS[text(panel.type)];
  if (type === undefined) {
    lost.push(`${title}: a panel of type “${text(panel.type)}”`);
    return [];
  }
  const shown = list(panel.targets).filter((target) => target.hide !== true);
  const queries = shown.flatMap((target) => {
    const query = text(target.expr) || text(target.query);
    const language = languageOf(target, panel, type);
    if (query === "") return [];
    if (language === null) {
      lost.push(`${title}: a query to a data source of type “${sourceOf(target, panel)}”`);
      return [];
    }
    const legend = text(target.legendFormat);
    return [{ language, query, ...(legend ? { legend } : {}) }];
  });
  if (queries.length === 0) {
    lost.push(`${title}: no query in PromQL, LogQL or TraceQL`);
    return [];
  }
  tellLost(panel, title, lost);
  const unit = unitOf(panel);
  return [{ title, type, width: widthOf(panel), queries, ...(unit === null ? {} : { unit }) }];
}

function sourceOf(target: Json, panel: Json): string {
  for (const source of [target.datasource, panel.datasource]) {
    if (isObject(source) && text(source.type)) return text(source.type);
    if (typeof source === "string" && source && !source.startsWith("$")) return source.toLowerCase();
  }
  return "";
}

/** By the data source; one that is a variable or not named is told by the panel. */
function languageOf(target: Json, panel: Json, type: PanelType): Language | null {
  const source = sourceOf(target, panel);
  const known = Object.keys(SOURCES).find((name) => source.includes(name));
  if (known !== undefined) return SOURCES[known] ?? null;
  if (source !== "" && source !== "-- mixed --") return null;
  return type === "logs" ? "logql" : "promql";
}

function tellLost(panel: Json, title: string, lost: string[]) {
  const defaults = isObject(panel.fieldConfig) ? panel.fieldConfig.defaults : undefined;
  const field: Json = isObject(defaults) ? defaults : {};
  const steps = isObject(field.thresholds) ? list(field.thresholds.steps) : [];
  const custom = isObject(field.custom) ? field.custom : {};
  const stacked = isObject(custom.stacking) && !["", "none"].includes(text(custom.stacking.mode));
  const parts: [string, unknown][] = [
    ["transformations", panel.transformations],
    ["links", panel.links],
    ["a classic alert", isObject(panel.alert) ? [panel.alert] : []],
    ["overrides of single fields", isObject(panel.fieldConfig) ? panel.fieldConfig.overrides : []],
    // A single step is the colour of everything.
    ["thresholds", steps.slice(1)],
    ["words for values", field.mappings],
  ];
  const found = parts.filter(([, value]) => list(value).length > 0).map(([name]) => name);
  if (panel.repeat) found.push("repetition for each value of a variable");
  if (stacked || panel.stack === true) found.push("stacking");
  if (text(panel.timeFrom) || text(panel.timeShift)) found.push("a time of its own");
  const unit = text(field.unit) || text(list(panel.yaxes)[0]?.format) || text(panel.format);
  if (unit !== "" && !Object.hasOwn(UNITS, unit)) found.push(`the unit “${unit}”`);
  if (found.length > 0) lost.push(`${title}: ${found.join(", ")}`);
}

function unitOf(panel: Json): string | null {
  const defaults = isObject(panel.fieldConfig) ? panel.fieldConfig.defaults : undefined;
  const unit =
    (isObject(defaults) && text(defaults.unit)) || text(list(panel.yaxes)[0]?.format) || text(panel.format);
  return Object.hasOwn(UNITS, unit) ? (UNITS[unit] ?? null) : null;
}

/** Grafana has 24 columns (12 in old dashboards). */
function widthOf(panel: Json): number {
  const place = panel.gridPos;
  if (isObject(place) && typeof place.w === "number")
    return Math.min(12, Math.max(2, Math.round(place.w / 2)));
  return typeof panel.span === "number" ? Math.min(12, Math.max(2, panel.span)) : 6;
}

const LABEL_VALUES = /^\s*label_values\(\s*(?:(.+)\s*,\s*)?([\w.]+)\s*\)\s*$/s;

function variableOf(variable: Json, lost: string[]): Variable[] {
  const [name, type] = [text(variable.name), text(variable.type)];
  if (name === "" || type === "datasource") return [];
  const label = text(variable.label);
  const made = { name, ...(label ? { label } : {}) };
  const current = isObject(variable.current) ? variable.current.value : undefined;
  const first = Array.isArray(current) ? current[0] : current;
  const value = typeof first === "string" && first !== "$__all" ? { value: first } : {};
  if (type === "query") {
    const query = isObject(variable.query) ? text(variable.query.query) : text(variable.query);
    const found = LABEL_VALUES.exec(text(variable.definition) || query) ?? LABEL_VALUES.exec(query);
    if (found?.[2])
      return [{ ...made, ...value, values_of: { label: found[2], ...(found[1] ? { of: found[1] } : {}) } }];
    lost.push(`Variable ${name}: its values come from “${query}”`);
    return [{ ...made, ...value }];
  }
  if (type === "custom" || type === "interval") {
    const options = text(variable.query)
      .split(",")
      .map((option) => option.trim())
      .filter(Boolean);
    return [{ ...made, ...value, options }];
  }
  if (type === "constant" || type === "textbox") return [{ ...made, value: text(variable.query) }];
  lost.push(`Variable ${name}: of type “${type}”`);
  return [made];
}
