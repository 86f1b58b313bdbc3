import { describe, expect, it } from "vitest";
import type { DiffFrame } from "../api/wire";
import { coursePath, differencePath } from "./asking";
import { gridFrom } from "./Course";
import { asDifference } from "./model";
import { sandwich } from "./sandwich";

const frame = (name: string, candidate: number, ...children: DiffFrame[]): DiffFrame => ({
  ...{ name, file: "", line: 0, baseline: 0, candidate, children },
});

describe("a function from both sides", () => {
  const root = frame(
    "total",
    100,
    frame("a", 60, frame("f", 50, frame("g", 20))),
    frame("b", 40, frame("f", 40)),
  );

  it("puts all its places together", () => {
    const { callers, callees } = sandwich(root, "f");
    expect(callees).toMatchObject({ candidate: 90, children: [{ name: "g", candidate: 20 }] });
    expect(callers.candidate).toBe(90);
    expect(callers.children.map(({ name, candidate }) => [name, candidate]).sort()).toEqual([
      ["a", 50],
      ["b", 40],
    ]);
  });

  it("counts recursion once", () => {
    const { callees } = sandwich(frame("total", 9, frame("f", 9, frame("f", 5))), "f");
    expect(callees.candidate).toBe(9);
  });

  it("is empty for what is not there", () => expect(sandwich(root, "nothing").callees.candidate).toBe(0));
});

describe("questions to profiles", () => {
  const bounds = { from: 1_000_000, until: 2_000_000 };
  const ask = (path: string) => Object.fromEntries(new URL(path, "http://x").searchParams);

  it("compare with a version or the time before", () => {
    const selector = 'service_name="a",service_version="2"';
    expect(ask(differencePath(selector, bounds, "cpu", "1"))).toMatchObject({
      ...{ selector: 'service_name="a"', baseline: "1", candidate: "2" },
    });
    expect(ask(differencePath('service_name="a"', bounds, "cpu", "1")).candidate).toBe(
      'service_version!="1"',
    );
    expect(ask(differencePath(selector, bounds, "cpu", "before"))).toMatchObject({
      ...{ baseline: "2", candidate: "2", baseline_end: "1970-01-01T00:16:40.000Z" },
    });
  });

  it("name a type as Pyroscope does", () => {
    const kept = { type: "cpu", unit: "ns", profiles: 1 };
    expect(ask(coursePath("", bounds, kept)).query).toBe(
      'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name=~".+"}',
    );
  });

  it("add up to steps", () => {
    const rendered = { timeline: { startTime: 60, samples: [1, 2, 3, 4], durationDelta: 30 } };
    expect(gridFrom(rendered, 60, "cpu")).toEqual({ xs: [60, 120], ys: [[3, 7]], names: ["cpu"] });
  });
});

describe("one profile", () => {
  it("is a difference with one side", () => {
    const leaf = { name: "b", file: "f", line: 1, value: 2, children: [] };
    const made = asDifference({ name: "a", file: "", line: 0, value: 3, children: [leaf] });
    expect(made).toMatchObject({ baseline: 0, candidate: 3, children: [{ name: "b", candidate: 2 }] });
  });
});
