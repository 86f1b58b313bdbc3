import { describe, expect, it } from "vitest";
import type { Comparison, Series } from "../api/wire";
import { sharesOf } from "./histogram";
import { overlay, summarise, tellingLabels } from "./lines";
import { roomFor, roundSteps } from "./scales";

const series = (
  version: string,
  points: [number, number | null][],
  labels: Record<string, string> = {},
): Series => ({
  name: "m",
  labels,
  version,
  points,
});

const pair = (kind: Comparison["kind"]) =>
  ({
    kind,
    baseline: { version: "1", start: "1970-01-01T00:01:40Z", end: "", instances: 1 },
    candidate: { version: "2", start: "1970-01-01T00:03:20Z", end: "", instances: 1 },
  }) as Comparison;

describe("overlaid series", () => {
  const answer = {
    unit: "By",
    series: [
      series("1", [
        [100, 1],
        [120, 3],
      ]),
      series("2", [
        [200, 5],
        [220, 7],
      ]),
      series("9", [[100, 9]]),
    ],
  };

  it("stand by the clock when both ran together", () => {
    const drawn = overlay(answer, pair("canary"));
    expect(drawn.elapsed).toBe(false);
    expect(drawn.xs).toEqual([100, 120, 200, 220]);
    expect(drawn.ys).toEqual([
      [1, 3, null, null],
      [null, null, 5, 7],
    ]);
    expect(drawn.lines.map((line) => line.side)).toEqual(["baseline", "candidate"]);
  });

  it("begin together when one ran after the other", () => {
    const drawn = overlay(answer, pair("before_after"));
    expect(drawn.xs).toEqual([0, 20]);
    expect(drawn.ys).toEqual([
      [1, 3],
      [5, 7],
    ]);
  });

  it("have no gaps where only the other side has points, but keep their own", () => {
    const own = series("1", [
      [100, 0],
      [110, 10],
      [120, null],
      [130, 5],
    ]);
    const drawn = overlay(
      {
        unit: "1",
        series: [
          own,
          series("2", [
            [105, 1],
            [115, 1],
          ]),
        ],
      },
      pair("canary"),
    );
    expect(drawn.xs).toEqual([100, 105, 110, 115, 120, 130]);
    expect(drawn.ys[0]).toEqual([0, 5, 10, null, null, 5]);
  });

  it("say how many are left out", () => {
    const many = Array.from({ length: 9 }, () => series("1", [[1, 1]]));
    expect(overlay({ unit: "1", series: many }, pair("canary"))).toMatchObject({
      left: 3,
      lines: { length: 6 },
    });
    expect(overlay({ unit: "1", series: [] }, pair("canary")).xs).toEqual([]);
  });

  it("are told apart by the labels in which they differ", () => {
    const two = [
      series("1", [], { pod: "a", job: "x", service_version: "1" }),
      series("2", [], { pod: "b", job: "x" }),
    ];
    expect(tellingLabels(two)).toEqual(["pod"]);
  });

  it("come down to four numbers", () => {
    expect(
      summarise(
        series("1", [
          [1, 4],
          [2, null],
          [3, 2],
        ]),
      ),
    ).toEqual({ least: 2, mean: 3, most: 4, last: 2 });
    expect(summarise(series("1", [[1, null]]))).toBeNull();
  });
});

describe("histograms of durations", () => {
  const durations = {
    unit: "ms",
    edges: [0, 1, 2, 4, 8, 16],
    versions: { "1": [0, 6, 2, 0, 0], "2": [0, 0, 1, 1, 0] },
  };

  it("are shares of each version's own calls, without the empty ends", () => {
    expect(sharesOf(durations, "1", "2")).toEqual({
      edges: [1, 2, 4, 8],
      baseline: [0.75, 0.25, 0],
      candidate: [0, 0.5, 0.5],
      calls: { baseline: 8, candidate: 2 },
      logarithmic: false,
    });
  });

  it("have a place for edges that no logarithm has", () => {
    const open = { unit: "ms", edges: [0, 1, 100, Number.POSITIVE_INFINITY], versions: { "1": [1, 1, 1] } };
    expect(sharesOf(open, "1", "2")).toMatchObject({
      edges: [0.5, 1, 100, 200],
      logarithmic: true,
      candidate: [0, 0, 0],
    });
  });

  it("put buckets together when there are few calls for them", () => {
    const edges = Array.from({ length: 61 }, (_, at) => 1.1 ** at);
    const counts = edges.slice(1).map((_, at) => (at % 2 === 0 ? 2 : 1));
    const shares = sharesOf({ unit: "ms", edges, versions: { "1": counts, "2": counts } }, "1", "2");
    expect(shares?.logarithmic).toBe(true);
    expect(shares?.edges.length).toBe((shares?.baseline.length ?? 0) + 1);
    expect(shares?.baseline.length).toBeLessThan(16);
    expect(shares?.baseline.reduce((total, share) => total + share)).toBeCloseTo(1);
    expect([shares?.edges[0], shares?.edges.at(-1)]).toEqual([1, 1.1 ** 60]);
  });

  it("are none when nothing was called", () => {
    expect(sharesOf({ ...durations, versions: {} }, "1", "2")).toBeNull();
  });
});

describe("scales", () => {
  it("begin at zero unless that would flatten the line", () => {
    expect(roomFor(10, 100)[0]).toBe(0);
    expect(roomFor(98, 100)[0]).toBeGreaterThan(90);
    expect(roomFor(5, 5)[1]).toBeGreaterThan(5);
    expect(roomFor(0, 0)[1]).toBeGreaterThan(0);
  });

  it("step by round numbers of their own unit", () => {
    expect(roundSteps(60)).toContain(300);
    expect(roundSteps(60)).not.toContain(200);
  });
});
