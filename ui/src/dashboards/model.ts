/** A dashboard: what the JSON files in the dashboards folder hold. */
export interface Dashboard {
  title: string;
  description?: string;
  variables?: Variable[];
  panels: DashboardPanel[];
}

export type PanelType = "timeseries" | "stat" | "table" | "logs" | "heatmap";
export type Language = "promql" | "logql" | "traceql";

export interface DashboardPanel {
  title: string;
  type: PanelType;
  /** UCUM, as OpenTelemetry writes units. */
  unit?: string;
  /** Of twelve columns. */
  width?: number;
  queries: PanelQuery[];
}

export interface PanelQuery {
  language: Language;
  query: string;
  /** What a line is called, with `{{label}}` for its labels. */
  legend?: string;
}

/** `$name` in a query. Values come from a label, or are given. */
export interface Variable {
  name: string;
  label?: string;
  /** The label whose values there are to choose from, of the series that fit `of`, if given. */
  values_of?: { label: string; of?: string };
  options?: string[];
  /** What is chosen at first; all of them when it is not given. */
  value?: string;
}

const TYPES: readonly string[] = ["timeseries", "stat", "table", "logs", "heatmap"] satisfies PanelType[];
const LANGUAGES: readonly string[] = ["promql", "logql", "traceql"] satisfies Language[];

/** What is wrong with a file's content, or null when it is a dashboard of ours. */
export function faultIn(content: unknown): string | null {
  if (!isObject(content)) return "The file is no JSON object.";
  if (typeof content.title !== "string") return "title: is missing.";
  if (!Array.isArray(content.panels)) return "panels: is missing.";
  for (const [at, panel] of content.panels.entries()) {
    const place = `panels[${at}]`;
    if (!isObject(panel)) return `${place}: is no object.`;
    if (typeof panel.title !== "string") return `${place}.title: is missing.`;
    if (!TYPES.includes(String(panel.type))) return `${place}.type: is none of ${TYPES.join(", ")}.`;
    if (!Array.isArray(panel.queries)) return `${place}.queries: is missing.`;
    for (const [index, query] of panel.queries.entries()) {
      const spot = `${place}.queries[${index}]`;
      if (!isObject(query) || typeof query.query !== "string") return `${spot}.query: is missing.`;
      if (!LANGUAGES.includes(String(query.language)))
        return `${spot}.language: is none of ${LANGUAGES.join(", ")}.`;
    }
  }
  const variables = content.variables ?? [];
  if (!Array.isArray(variables)) return "variables: is no list.";
  const nameless = variables.findIndex((one: unknown) => !isObject(one) || typeof one.name !== "string");
  return nameless < 0 ? null : `variables[${nameless}].name: is missing.`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
