import { describe, expect, it } from "vitest";
import type { Comparison, Finding, Release } from "../api/wire";
import { baselineFor, versionsBeside } from "./baseline";
import { diffCall, typesFound, typesToChoose } from "./evidence/profileTypes";
import { forestAxis, forestTicks, placeOn } from "./forest";
import { anchorOf, inDirection, ofSignal } from "./ranking";
import { afterHeadline } from "./summary";

const finding = (rank: number, more: Partial<Finding> = {}): Finding => ({
  signal: "metrics",
  subject: `subject ${rank}`,
  direction: "worse",
  title: "",
  measure: "mean",
  baseline: 1,
  candidate: 2,
  unit: "1",
  change: 1,
  interval: [0.5, 1.5],
  p_value: 0,
  q_value: 0,
  rank,
  examples: [],
  evidence: { api: "" },
  ...more,
});

const comparison = (findings: Finding[], more: Partial<Comparison> = {}): Comparison => ({
  service: "checkout",
  baseline: { version: "1.0.0", start: "2026-11-23T11:00:00Z", end: "2026-11-23T12:00:00Z", instances: 1 },
  candidate: { version: "2.0.0", start: "2026-11-23T11:30:00Z", end: "2026-11-23T12:10:00Z", instances: 1 },
  kind: "canary",
  verdict: "worse",
  confidence: 1,
  summary: "",
  missing: [],
  signals: {},
  findings,
  took_seconds: 1,
  page: "",
  ...more,
});

describe("ranking", () => {
  const all = comparison([
    finding(3),
    finding(1, { direction: "better" }),
    finding(2),
    finding(4, { signal: "logs" }),
  ]);

  it("puts the most important of a direction first", () => {
    expect(inDirection(all, "worse").map(({ rank }) => rank)).toEqual([2, 3, 4]);
  });

  it("puts what is worse first within a signal", () => {
    expect(ofSignal(all, "metrics").map(({ rank }) => rank)).toEqual([2, 3, 1]);
  });

  it("names evidence so that it can be an id", () => {
    expect(anchorOf(finding(1, { subject: "POST /a b", signal: "traces" }))).toBe("traces-1-POST-2Fa-b-mean");
  });
});

describe("the baseline", () => {
  const releases = [
    { service: "a", version: "3", previous: "2" },
    { service: "a", version: "2", previous: null },
    { service: "b", version: "9", previous: null },
  ] as Release[];

  it("is the version before, else another, else none", () => {
    expect(baselineFor(releases, "a", "3")).toBe("2");
    expect(baselineFor(releases, "a", "2")).toBe("3");
    expect(baselineFor(releases, "b", "9")).toBeNull();
    expect(baselineFor(releases, "a", "unknown")).toBeNull();
  });

  it("can be any other version, and the one that a link names", () => {
    expect(versionsBeside(releases, "a", "3")).toEqual(["2"]);
    expect(versionsBeside(releases, "a", "3", "0.1")).toEqual(["0.1", "2"]);
  });
});

describe("the axis of changes", () => {
  it("always has no change on it, and half as far from it as double", () => {
    const axis = forestAxis([finding(1, { change: 1, interval: [-0.5, 1] })]);
    const zero = placeOn(axis, 0);
    expect(zero).toBeGreaterThan(0);
    expect(placeOn(axis, 1) - zero).toBeCloseTo(zero - placeOn(axis, -0.5));
  });

  it("keeps what is off the axis at its edge", () => {
    const axis = forestAxis([
      finding(1, { change: 1e9, interval: [null, 1e9] }),
      finding(2, { change: null, interval: null }),
    ]);
    expect(placeOn(axis, 1e9)).toBe(1);
    expect(placeOn(axis, -1)).toBe(0);
  });

  it("labels no change, and what has room", () => {
    const axis = forestAxis([finding(1, { change: 4, interval: null })]);
    const ticks = forestTicks(axis);
    expect(ticks).toContain(0);
    expect(ticks.length).toBeGreaterThan(1);
    const places = ticks.map((tick) => placeOn(axis, tick));
    for (const [at, place] of places.slice(1).entries())
      expect(place - (places[at] ?? 0)).toBeGreaterThan(0.2);
  });
});

describe("profiles to choose from", () => {
  const cpu = finding(2, { signal: "profiles", evidence: { api: "/api/profiles/diff?type=cpu" } });
  const memory = finding(1, {
    signal: "profiles",
    evidence: { api: "/api/profiles/diff?type=inuse_space&function=f" },
  });

  it("are those of the findings first, then what else there is", () => {
    const both = comparison([cpu, memory, finding(3, { signal: "profiles" })]);
    expect(typesFound(both)).toEqual(["inuse_space", "cpu"]);
    const there = { types: ["alloc_space", "cpu"].map((type) => ({ type, unit: "By", profiles: 1 })) };
    expect(typesToChoose(both, there)).toEqual(["inuse_space", "cpu", "alloc_space"]);
    expect(typesToChoose(comparison([]), undefined)).toEqual([]);
  });

  it("are asked for over the time of both sides", () => {
    expect(diffCall(comparison([]), "cpu")).toBe(
      "/api/profiles/diff?service=checkout&baseline=1.0.0&candidate=2.0.0&type=cpu" +
        "&start=2026-11-23T11%3A00%3A00Z&end=2026-11-23T12%3A10%3A00Z",
    );
    expect(diffCall(comparison([]), null)).not.toContain("type");
  });
});

describe("the summary", () => {
  it("does not repeat the headline", () => {
    const said = "checkout 2.0.0 is worse than 1.0.0: ";
    expect(afterHeadline(comparison([], { summary: `${said}it is slower.` }))).toBe("It is slower.");
    expect(afterHeadline(comparison([], { summary: "Something else." }))).toBe("Something else.");
    for (const name of ["try_all (pricing.py) is new", "work (orders.py) costs more"])
      expect(afterHeadline(comparison([], { summary: `${said}${name}` }))).toBe(name);
  });
});
