import { describe, expect, it } from "vitest";
import type { Release } from "../api/wire";
import { countJudgements, groupByService, isWanted, withoutRuns } from "./grouping";
import { isRunning, layBars, spanOf, ticksOf } from "./timeline";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const HOUR = 3_600_000;

const release = (
  service: string,
  version: string,
  first: number,
  last: number,
  more: Partial<Release> = {},
) =>
  ({
    service,
    version,
    first_seen: new Date(NOW - first * HOUR).toISOString(),
    last_seen: new Date(NOW - last * HOUR).toISOString(),
    instances: 1,
    signals: [],
    previous: null,
    verdict: null,
    ...more,
  }) satisfies Release;

const worse = { verdict: "worse", confidence: 1, summary: "", at: "", page: "" } as const;

describe("grouping", () => {
  it("puts the service with the newest release first, and its releases newest first", () => {
    const groups = groupByService([
      release("cart", "1", 9, 8),
      release("checkout", "1", 5, 3),
      release("cart", "2", 2, 0),
    ]);
    expect(groups.map(({ service, releases }) => [service, releases.map(({ version }) => version)])).toEqual([
      ["cart", ["2", "1"]],
      ["checkout", ["1"]],
    ]);
  });

  it("leaves out the runs of pipelines", () => {
    const services = withoutRuns([
      release("pipeline/test-1", "test-1", 1, 0),
      release("pipelines", "1", 1, 0),
    ]);
    expect(services.map(({ service }) => service)).toEqual(["pipelines"]);
  });

  it("counts verdicts", () => {
    const counts = countJudgements([release("a", "1", 2, 1), release("a", "2", 1, 0, { verdict: worse })]);
    expect(counts).toEqual({ worse: 1, no_worse: 0, cannot_tell: 0, not_judged: 1 });
  });

  it.each([
    [{ find: "CHECK 2" }, true],
    [{ find: "cart" }, false],
    [{ verdict: "worse" }, true],
    [{ verdict: "not_judged" }, false],
    [{ last: "1h" }, false],
    [{ last: "6h" }, true],
  ] as const)("%j wants it: %s", (part, wanted) => {
    const address = { find: "", verdict: "all", last: "all", ...part } as const;
    const one = release("checkout", "2.0.0", 5, 2, { verdict: worse });
    expect(isWanted(one, address, NOW)).toBe(wanted);
  });
});

describe("the time line", () => {
  it("spans from the first release until now", () => {
    expect(spanOf([release("a", "1", 4, 3), release("a", "2", 2, 0)], null, NOW)).toEqual({
      from: NOW - 4 * HOUR,
      until: NOW,
    });
    expect(spanOf([], null, NOW).from).toBe(NOW - 60_000);
    expect(spanOf([release("a", "1", 4, 3)], NOW - HOUR, NOW).from).toBe(NOW - HOUR);
  });

  it("puts versions that overlap into lanes, and others after one another", () => {
    const releases = [release("a", "3", 1, 0), release("a", "1", 4, 2), release("a", "2", 3, 0)];
    const bars = layBars(releases, { from: NOW - 4 * HOUR, until: NOW });
    expect(bars.map((bar) => [bar.release.version, bar.left, bar.width, bar.lane])).toEqual([
      ["1", 0, 0.5, 0],
      ["2", 0.25, 0.75, 1],
      ["3", 0.75, 0.25, 0],
    ]);
  });

  it("keeps every bar on the line and wide enough to be hit", () => {
    const [bar] = layBars([release("a", "1", 0, 0)], { from: NOW - HOUR, until: NOW });
    expect(bar?.width).toBeGreaterThan(0.01);
    expect((bar?.left ?? 0) + (bar?.width ?? 0)).toBeLessThanOrEqual(1);
  });

  it("has round times, few enough", () => {
    const ticks = ticksOf({ from: NOW - 2 * HOUR, until: NOW }, 6);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(ticks.every((at) => at % (30 * 60_000) === 0)).toBe(true);
    expect(ticksOf({ from: NOW - 900_000 * HOUR, until: NOW }, 6).length).toBeLessThan(200);
  });

  it("knows what still runs", () => {
    expect(isRunning(release("a", "1", 1, 0), NOW)).toBe(true);
    expect(isRunning(release("a", "1", 2, 1), NOW)).toBe(false);
  });
});
