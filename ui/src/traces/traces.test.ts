import { describe, expect, it } from "vitest";
import { pathThrough } from "../graphs/layered";
import { examples } from "./CompareWith";
import { compareCosts, layTrace, unfolded } from "./layout";
import { precise, type Span } from "./model";

const span = (id: string, parent: string, at: number, duration_ms: number, name = id): Span => ({
  span_id: id,
  parent_span_id: parent,
  name,
  kind: "INTERNAL",
  start: `2026-01-01T00:00:00.${String(at).padStart(3, "0")}500000Z`,
  duration_ms,
  status: "UNSET",
  status_message: "",
  attributes: {},
  resource: { "service.name": "a" },
  scope: "",
  events: [],
  links: [],
  critical: false,
});

describe("a waterfall", () => {
  const spans = [
    span("c", "a", 40, 20),
    span("a", "", 0, 100),
    span("b", "a", 10, 40),
    span("d", "b", 15, 10),
  ];

  it("is in the order of the calls", () => {
    const { rows, length } = layTrace(spans);
    expect(rows.map(({ span: { name }, depth }) => `${depth}${name}`)).toEqual(["0a", "1b", "2d", "1c"]);
    expect(length).toBeCloseTo(100, 3);
    expect(rows.map(({ below }) => below)).toEqual([3, 1, 0, 0]);
  });

  it("counts time that several children share once", () => {
    const own = layTrace(spans).rows.map((row) => Math.round(row.own));
    expect(own).toEqual([50, 30, 10, 20]);
  });

  it("folds what is below a span away", () => {
    const { rows } = layTrace(spans);
    expect(unfolded(rows, new Set(["b"])).map(({ span: { name } }) => name)).toEqual(["a", "b", "c"]);
  });

  it("survives circles, orphans and doubles", () => {
    const odd = [
      span("a", "b", 0, 1),
      span("b", "a", 0, 1),
      span("c", "gone", 0, 1),
      span("c", "gone", 0, 1),
    ];
    expect(layTrace(odd).rows).toHaveLength(4);
    expect(layTrace([span("a", "a", 0, 1)]).rows).toHaveLength(1);
  });

  it("keeps nanoseconds", () => expect(precise("1970-01-01T00:00:00.001500000Z")).toBeCloseTo(1.5, 6));
});

describe("two traces", () => {
  it("are compared by operation, the greatest difference first", () => {
    const one = layTrace([span("1", "", 0, 10, "x"), span("2", "1", 0, 4, "y")]).rows;
    const other = layTrace([span("1", "", 0, 50, "x"), span("2", "1", 0, 44, "y")]).rows;
    const found = compareCosts(one, other);
    expect(found.map(({ name, difference }) => [name, Math.round(difference)])).toEqual([
      ["y", 40],
      ["x", 0],
    ]);
  });

  it("are chosen by what they are an example of", () => {
    const trace = (trace_id: string, duration_ms: number, errors = 0) => ({
      ...{ trace_id, duration_ms, errors, start: "", root: "", service: "", services: [], spans: 1 },
    });
    const found = examples([trace("b", 2), trace("c", 3, 1), trace("a", 1)]);
    expect(found.map(({ name, trace: one }) => `${name} ${one.trace_id}`)).toEqual([
      "fastest a",
      "median b",
      "slowest c",
      "failed c",
    ]);
    expect(examples([])).toEqual([]);
  });
});

describe("the line of an edge", () => {
  it("goes through its points", () => {
    expect(pathThrough([{ x: 0, y: 0 }])).toBe("M0 0");
    expect(pathThrough([0, 1, 2].map((x) => ({ x, y: 0 })))).toBe("M0 0C0.5 0 0.5 0 1 0C1.5 0 1.5 0 2 0");
  });
});
