import { describe, expect, it } from "vitest";
import { change, confidence, interval, share, smallestEffect } from "./changes";

const plain = (text: string) => text.replaceAll("\u202f", " ").replaceAll("\u2212", "-");

describe("change", () => {
  it.each([
    [0.35, "+35 %"],
    [-0.083, "-8.3 %"],
    [0.0621, "+6.2 %"],
    [0, "±0 %"],
    [0.00001, "±0 %"],
    [-1, "-100 %"],
    [0.999, "+99.9 %"],
    [1, "×2"],
    [3.505, "×4.5"],
    [72.5, "×74"],
  ])("%s is %s", (relative, text) => expect(plain(change(relative, "en"))).toBe(text));

  it("says nothing without a baseline", () => {
    expect(change(null, "en")).toBe("–");
    expect(change(Number.POSITIVE_INFINITY, "en")).toBe("–");
  });
});

describe("interval", () => {
  it.each([
    [[0.8, 1.2], "+80 % … ×2.2"],
    [[-0.5, null], "≥ -50 %"],
    [[null, 10.8], "≤ ×12"],
    [[null, null], "–"],
  ] as const)("%j is %s", (ends, text) => expect(plain(interval(ends, "en"))).toBe(text));
});

describe("the smallest effect", () => {
  it.each([
    [0.06, "6 %"],
    [2.549, "×3.5"],
    [5.2e21, ">×100"],
    [null, "–"],
  ])("%s is %s", (effect, text) => expect(plain(smallestEffect(effect, "en"))).toBe(text));
});

describe("share and confidence", () => {
  it("writes shares as percentages", () => {
    expect(["0.06", "0.314", "1", "0", "0.0004"].map((text) => plain(share(Number(text), "en")))).toEqual([
      "6 %",
      "31.4 %",
      "100 %",
      "0 %",
      "<0.1 %",
    ]);
  });

  it("never claims certainty", () => {
    expect(plain(confidence(1, "en"))).toBe(">99.9 %");
    expect(plain(confidence(0.9996, "en"))).toBe(">99.9 %");
    expect(plain(confidence(0.95, "en"))).toBe("95 %");
  });
});
