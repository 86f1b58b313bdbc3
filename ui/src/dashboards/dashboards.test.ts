import { describe, expect, it } from "vitest";
import { BUILT_IN } from "./builtin";
import { filled, legendOf, namesIn } from "./filling";
import { fromGrafana, isGrafana } from "./grafana";
import { heatmapOf } from "./heatmap";
import { faultIn } from "./model";
import { opened } from "./opening";
import { spoken } from "./spoken";

const HOUR = { from: 0, until: 3_600_000 };

describe("variables in a query", () => {
  it.each([
    ['up{job="$job"}', { job: ["a.b"] }, 'up{job="a.b"}'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is Grafana's
    ['up{job=~"${job:regex}"}', { job: ["a.b"] }, 'up{job=~"a\\\\.b"}'],
    ['up{job=~"[[job]]"}', { job: ["a", "b"] }, 'up{job=~"a|b"}'],
    ['up{job=~"$job"}', { job: [] }, 'up{job=~".+"}'],
    ['up{job="$job"}', { job: ['"} or vector(1) #'] }, 'up{job="\\"} or vector(1) #"}'],
    ["rate(x[$__rate_interval]) $__range $other", {}, "rate(x[60s]) 3600s $other"],
  ])("%s", (query, chosen, text) => expect(filled(query, chosen, HOUR)).toBe(text));

  it("are all declared in the dashboards that are always there", () => {
    for (const dashboard of Object.values(BUILT_IN)) {
      expect(faultIn(dashboard)).toBeNull();
      const known = (dashboard.variables ?? []).map(({ name }) => name);
      const used = dashboard.panels.flatMap(({ queries }) => queries.flatMap(({ query }) => namesIn(query)));
      expect(used.filter((name) => !known.includes(name))).toEqual([]);
    }
  });

  it("and every word of those has its Japanese", () => {
    for (const dashboard of Object.values(BUILT_IN)) {
      const { title, description, panels } = spoken(dashboard, "ja");
      for (const text of [title, description, ...panels.map((one) => one.title)]) {
        expect(text).toMatch(/[\u3040-\u30ff\u4e00-\u9fff]|^CPU$/);
      }
    }
  });

  it("name lines by their labels", () => {
    expect(legendOf("{{ job }} {{k8s.pod}}", { job: "a", "k8s.pod": "p" })).toBe("a p");
    expect(legendOf("__auto", {})).toBeNull();
  });
});

describe("a dashboard file", () => {
  it.each([
    [null, "no JSON object"],
    [{}, "title"],
    [{ title: "a", panels: [{ title: "p", type: "pie", queries: [] }] }, "panels[0].type"],
    [
      { title: "a", panels: [{ title: "p", type: "stat", queries: [{ query: "x", language: "sql" }] }] },
      "language",
    ],
    [{ title: "a", panels: [], variables: [{}] }, "variables[0].name"],
  ])("%j says what is wrong", (content, words) => expect(faultIn(content)).toContain(words));
});

describe("a Grafana dashboard", () => {
  const prometheus = { type: "prometheus", uid: "x" };
  const dashboard = {
    title: "Node",
    schemaVersion: 39,
    annotations: { list: [{ builtIn: 1 }, { name: "Deploys" }] },
    templating: {
      list: [
        { name: "ds", type: "datasource" },
        {
          name: "job",
          type: "query",
          query: { query: "label_values(up, job)" },
          current: { value: "$__all" },
        },
        { name: "env", type: "custom", query: "dev, prod", current: { value: "prod" } },
        { name: "odd", type: "query", query: "query_result(up)" },
      ],
    },
    panels: [
      {
        title: "CPU",
        type: "timeseries",
        gridPos: { w: 12 },
        datasource: prometheus,
        fieldConfig: { defaults: { unit: "bytes" }, overrides: [{}] },
        targets: [{ expr: 'rate(cpu{job="$job"}[$__rate_interval])', legendFormat: "{{job}}" }],
      },
      {
        type: "row",
        panels: [
          { title: "Lines", type: "logs", datasource: { type: "loki" }, targets: [{ expr: "{a=`b`}" }] },
        ],
      },
      { title: "Map", type: "geomap", targets: [] },
      { title: "SQL", type: "table", datasource: { type: "mysql" }, targets: [{ expr: "select 1" }] },
    ],
  };

  it("is taken over as far as it can be", () => {
    expect(isGrafana(dashboard)).toBe(true);
    const { dashboard: ours, lost } = fromGrafana({ dashboard });
    expect(ours.panels).toEqual([
      {
        title: "CPU",
        type: "timeseries",
        width: 6,
        unit: "By",
        queries: [
          { language: "promql", query: 'rate(cpu{job="$job"}[$__rate_interval])', legend: "{{job}}" },
        ],
      },
      { title: "Lines", type: "logs", width: 6, queries: [{ language: "logql", query: "{a=`b`}" }] },
    ]);
    expect(ours.variables).toEqual([
      { name: "job", values_of: { label: "job", of: "up" } },
      { name: "env", value: "prod", options: ["dev", "prod"] },
      { name: "odd" },
    ]);
    expect(faultIn(ours)).toBeNull();
    expect(lost).toEqual([
      "CPU: overrides of single fields",
      "Map: a panel of type “geomap”",
      "SQL: a query to a data source of type “mysql”",
      "SQL: no query in PromQL, LogQL or TraceQL",
      "Variable odd: its values come from “query_result(up)”",
      "Annotations: Deploys",
    ]);
  });

  it("is taken over with what makes dashboards real: sources as inputs, hidden queries, rows, mixed panels", () => {
    const prometheus = { type: "prometheus", uid: "$" + "{DS_PROMETHEUS}" };
    const { dashboard: ours, lost } = fromGrafana({
      __inputs: [{ name: "DS_PROMETHEUS", type: "datasource", pluginId: "prometheus" }],
      title: "Shop / Overview",
      schemaVersion: 41,
      templating: {
        list: [
          { name: "ds", type: "datasource", query: "prometheus" },
          { name: "namespace", type: "query", query: { query: "label_values(up, namespace)", refId: "A" } },
        ],
      },
      panels: [
        { type: "row", title: "Traffic", collapsed: false, panels: [] },
        {
          ...{
            title: "Requests",
            type: "timeseries",
            datasource: prometheus,
            gridPos: { x: 0, y: 1, w: 8, h: 8 },
          },
          fieldConfig: {
            defaults: {
              unit: "reqps",
              custom: { stacking: { mode: "normal" } },
              thresholds: { steps: [{ value: null }, { value: 80, color: "red" }] },
            },
            overrides: [],
          },
          targets: [
            { refId: "A", expr: "sum by (code) (rate(http_requests_total[$__rate_interval]))", hide: false },
            { refId: "B", expr: "vector(0)", hide: true },
          ],
        },
        {
          ...{ title: "Up", type: "stat", datasource: prometheus, gridPos: { w: 4 } },
          fieldConfig: { defaults: { unit: "currencyEUR", mappings: [{ type: "value", options: {} }] } },
          targets: [{ expr: "min(up)", instant: true }],
        },
        {
          ...{ title: "Latency", type: "heatmap", datasource: prometheus, timeShift: "1d" },
          targets: [{ expr: "sum by (le) (increase(d_bucket[$__interval]))", format: "heatmap" }],
        },
        {
          ...{ title: "Both", type: "table", datasource: { type: "datasource", uid: "-- Mixed --" } },
          targets: [
            { expr: "topk(5, sum by (pod) (rate(x[5m])))", datasource: prometheus, format: "table" },
            { expr: "sum by (pod) (count_over_time({a=`b`}[5m]))", datasource: { type: "loki", uid: "l" } },
          ],
        },
        {
          ...{ title: "Errors", type: "logs", datasource: { type: "loki", uid: "l" } },
          targets: [{ expr: '{namespace="$namespace"} |= "error"' }],
        },
        { title: "Shared", type: "library-panel-ref", libraryPanel: { uid: "x", name: "Shared" } },
      ],
    });
    expect(
      ours.panels.map(({ title, type, queries }) => [title, type, queries.map((one) => one.language)]),
    ).toEqual([
      ["Requests", "timeseries", ["promql"]],
      ["Up", "stat", ["promql"]],
      ["Latency", "heatmap", ["promql"]],
      ["Both", "table", ["promql", "logql"]],
      ["Errors", "logs", ["logql"]],
    ]);
    expect(ours.variables).toEqual([{ name: "namespace", values_of: { label: "namespace", of: "up" } }]);
    expect(faultIn(ours)).toBeNull();
    expect(lost).toEqual([
      "Requests: thresholds, stacking",
      "Up: words for values, the unit “currencyEUR”",
      "Latency: a time of its own",
      "Shared: a panel of Grafana's library, which is not in the file",
    ]);
  });

  it("survives what is no dashboard at all", () => {
    expect(fromGrafana({ panels: "x", templating: 3, schemaVersion: 1 }).dashboard.panels).toEqual([]);
    expect(opened({ nothing: 1 }).fault).toContain("title");
    expect(opened({ panels: [null, 7], schemaVersion: 1 }).fault).toBeNull();
  });
});

describe("a heat map", () => {
  it("takes what is below out of each bucket", () => {
    const bucket = (le: string, ...values: number[]) => ({
      metric: { le },
      values: values.map((value, at): [number, string] => [at, String(value)]),
    });
    const map = heatmapOf([bucket("+Inf", 5, 3), bucket("0.1", 2, 3), bucket("odd", 1, 1)]);
    expect(map).toEqual({
      times: [0, 1],
      bounds: [0.1, Number.POSITIVE_INFINITY],
      counts: [
        [2, 3],
        [3, 0],
      ],
      most: 3,
    });
  });
});
