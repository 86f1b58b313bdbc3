import { describe, expect, it } from "vitest";
import type { DiffFrame } from "../api/wire";
import { STEPS, toneOf, tones } from "./colour";
import { costsByFunction } from "./functions";
import { frameOf, keyOf, layFlames } from "./layout";
import { search } from "./searching";
import { eachVisible, frameAt, moveFrom, rowsOf } from "./viewing";

const frame = (name: string, baseline: number, candidate: number, children: DiffFrame[] = []): DiffFrame => ({
  name,
  file: `${name}.py`,
  line: 1,
  baseline,
  candidate,
  children,
});

/** total 100 -> 140: serve (90 -> 130: sign 10 -> 60 (hash 0 -> 40), parse 50 -> 20), gc 10 -> 10. */
const tree = () =>
  frame("total", 100, 140, [
    frame("gc", 10, 10),
    frame("serve", 90, 130, [
      frame("sign", 10, 60, [frame("hash", 0, 40)]),
      frame("parse", 50, 20),
      frame("unused", 0, 0),
    ]),
  ]);

const names = (layout: ReturnType<typeof layFlames>) => layout.frames.map(({ name }) => name);
const seen = (layout: ReturnType<typeof layFlames>, zoomed: number, rows: [number, number], width = 240) => {
  const found: [string, number, number][] = [];
  const view = { zoomed, width, firstRow: rows[0], lastRow: rows[1] };
  eachVisible(layout, view, (index, left, across) => {
    found.push([layout.frames[index]?.name ?? "", left, across]);
  });
  return found;
};

describe("layout", () => {
  const layout = layFlames(tree());

  it("is in preorder, dearest callee first, without what costs nothing", () => {
    expect(names(layout)).toEqual(["total", "serve", "sign", "hash", "parse", "gc"]);
    expect([...layout.depth]).toEqual([0, 1, 2, 3, 2, 1]);
    expect([...layout.parent]).toEqual([-1, 0, 1, 2, 1, 0]);
    expect([...layout.end]).toEqual([6, 5, 4, 4, 5, 6]);
    expect([...layout.start]).toEqual([0, 0, 0, 0, 70, 220]);
    expect([...layout.weight]).toEqual([240, 220, 70, 40, 70, 20]);
    expect(layout.depths).toBe(4);
  });

  it("names frames by their path, so that a link finds them again", () => {
    for (const index of layout.frames.keys())
      expect(frameOf(layFlames(tree()), keyOf(layout, index))).toBe(index);
    expect(frameOf(layout, "nowhere")).toBe(0);
    expect(frameOf(layout, null)).toBe(0);
  });

  it("lays stacks of any depth", () => {
    let deep = frame("leaf", 1, 1);
    for (let depth = 0; depth < 20_000; depth += 1) deep = frame(`f${depth}`, 1, 1, [deep]);
    expect(layFlames(deep).depths).toBe(20_001);
  });
});

describe("what is in sight", () => {
  const layout = layFlames(tree());

  it("is everything, one pixel a unit", () => {
    expect(seen(layout, 0, [0, 9])).toEqual([
      ["total", 0, 240],
      ["serve", 0, 220],
      ["sign", 0, 70],
      ["hash", 0, 40],
      ["parse", 70, 70],
      ["gc", 220, 20],
    ]);
  });

  it("is the zoomed frame, its callers over the whole width, and what it calls", () => {
    expect(seen(layout, 2, [0, 9], 70)).toEqual([
      ["total", 0, 70],
      ["serve", 0, 70],
      ["sign", 0, 70],
      ["hash", 0, 40],
    ]);
  });

  it("is only what the rows show and what is wide enough", () => {
    expect(seen(layout, 0, [2, 2]).map(([name]) => name)).toEqual(["sign", "parse"]);
    expect(seen(layout, 0, [0, 9], 5).map(([name]) => name)).not.toContain("gc");
  });

  it("can be pointed at", () => {
    const view = { zoomed: 0, width: 240, firstRow: 0, lastRow: 9 };
    expect(frameAt(layout, view, 75, 2)).toBe(4);
    expect(frameAt(layout, view, 230, 2)).toBeNull();
  });

  it("needs as many rows as what is zoomed to is deep", () => {
    expect([0, 2, 4, 5].map((index) => rowsOf(layout, index))).toEqual([4, 4, 3, 2]);
  });

  it("draws 50,000 frames by looking at few of them", () => {
    const leaves = Array.from({ length: 50_000 }, (_, at) => frame(`leaf${at}`, 1, 1));
    const groups = Array.from({ length: 50 }, (_, at) => {
      return frame(`group${at}`, 1000, 1000, leaves.slice(at * 1000, at * 1000 + 1000));
    });
    const wide = layFlames(frame("total", 50_000, 50_000, groups));
    expect(wide.frames.length).toBe(50_051);
    expect(seen(wide, 0, [0, 9], 1200).length).toBe(51);
  });
});

describe("the keyboard", () => {
  const layout = layFlames(tree());
  const from = (name: string) => names(layout).indexOf(name);

  it.each([
    ["serve", "ArrowDown", "sign"],
    ["hash", "ArrowDown", "hash"],
    ["hash", "ArrowUp", "sign"],
    ["total", "ArrowUp", "total"],
    ["sign", "ArrowRight", "parse"],
    ["parse", "ArrowRight", "parse"],
    ["parse", "ArrowLeft", "sign"],
    ["sign", "ArrowLeft", "sign"],
    ["gc", "ArrowLeft", "serve"],
    ["total", "ArrowRight", "total"],
    ["hash", "Home", "total"],
  ] as const)("%s %s leads to %s", (start, key, end) => {
    expect(names(layout)[moveFrom(layout, from(start), key)]).toBe(end);
  });
});

describe("search", () => {
  it("counts a match inside a match once", () => {
    const layout = layFlames(
      frame("total", 9, 9, [frame("a_hash", 4, 6, [frame("b_hash", 2, 3)]), frame("c", 5, 3)]),
    );
    expect(search(layout, " HASH ")).toMatchObject({ count: 2, baseline: 4, candidate: 6 });
    expect(search(layout, ".py")?.count).toBe(4);
    expect(search(layout, "nothing")?.count).toBe(0);
    expect(search(layout, "  ")).toBeNull();
  });
});

describe("costs by function", () => {
  it("takes what is called away from a function's own cost", () => {
    const costs = new Map(costsByFunction(layFlames(tree())).map((cost) => [cost.name, cost]));
    expect(costs.get("sign")).toMatchObject({
      ownBaseline: 10,
      ownCandidate: 20,
      totalBaseline: 10,
      totalCandidate: 60,
    });
    expect(costs.get("serve")).toMatchObject({ ownBaseline: 30, ownCandidate: 50 });
    expect(costs.has("total")).toBe(false);
  });

  it("adds recursion once", () => {
    const walk = frame("walk", 10, 20, [frame("other", 8, 15, [frame("walk", 5, 9)])]);
    const [cost] = costsByFunction(layFlames(frame("total", 10, 20, [walk])));
    expect(cost).toMatchObject({
      name: "walk",
      ownBaseline: 7,
      ownCandidate: 14,
      totalBaseline: 10,
      totalCandidate: 20,
    });
  });
});

describe("colour", () => {
  it.each([
    [10, 10, 0],
    [0, 10, STEPS],
    [10, 0, -STEPS],
    [5, 10, STEPS / 2],
    [10, 5, -STEPS / 2],
    [0, 0, 0],
  ])("%s against %s is tone %s", (baseline, candidate, tone) =>
    expect(toneOf(baseline, candidate)).toBe(tone),
  );

  it.each([false, true])("can be read on every tone (dark: %s)", (dark) => {
    for (const { fill, ink } of tones(dark)) expect(contrast(fill, ink)).toBeGreaterThan(4.5);
  });
});

/** Contrast of two colours, WCAG 2.2. */
function contrast(fill: string, ink: string): number {
  const numbers = (fill.match(/\d+/g) ?? []).map(Number);
  const hex = [1, 3, 5].map((at) => Number.parseInt(ink.slice(at, at + 2), 16));
  const [high, low] = [luminance(numbers), luminance(hex)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(channels: number[]): number {
  const linear = channels.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => sum + weight * (linear[at] ?? 0), 0);
}
