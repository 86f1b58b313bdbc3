import { describe, expect, it } from "vitest";
import { amount, count, inScale, scaleFor } from "./units";

/** The narrow no-break space between a number and its unit, as a plain one. */
const plain = (text: string) => text.replaceAll("\u202f", " ");
const say = (value: number | null, unit: string, locale = "en") => plain(amount(value, unit, locale));

describe("durations", () => {
  it.each([
    [41.2, "ms", "41.2 ms"],
    [0.00034, "s", "340 µs"],
    [1_500_000, "ns", "1.5 ms"],
    [90, "s", "1.5 min"],
    [7200, "s", "2 h"],
    [0, "ms", "0 ms"],
    [-41, "ms", "-41 ms"],
    [999.9, "ms", "1 s"],
  ])("%s %s is %s", (value, unit, text) => expect(say(value, unit)).toBe(text));
});

describe("sizes", () => {
  it.each([
    [512, "By", "512 B"],
    [191_889_408, "By", "192 MB"],
    [1.5, "MBy", "1.5 MB"],
    [2, "KiBy", "2.05 kB"],
    [3_000_000, "By/s", "3 MB/s"],
  ])("%s %s is %s", (value, unit, text) => expect(say(value, unit)).toBe(text));
});

describe("counts and shares", () => {
  it.each([
    [4.2, "{request}", "4.2 request"],
    [12_345, "{request}/s", "12.3 k request/s"],
    [0.42, "1", "0.42"],
    [2_500_000, "1", "2.5 M"],
    [0, "", "0"],
    [7, "1/s", "7 /s"],
    [38.2, "{line}/min", "38.2 line/min"],
    [12, "%", "12 %"],
    [5, "constructor", "5 constructor"],
  ])("%s %s is %s", (value, unit, text) => expect(say(value, unit)).toBe(text));

  it("says nothing for what is no number", () => {
    expect(say(null, "ms")).toBe("–");
    expect(say(Number.NaN, "ms")).toBe("–");
    expect(say(Number.POSITIVE_INFINITY, "By")).toBe("–");
  });

  it("groups as the language does", () => {
    expect(count(1234567, "en")).toBe("1,234,567");
    expect(say(1.5, "ms", "de")).toBe("1,5 ms");
  });
});

describe("a scale for an axis", () => {
  it("keeps one unit for all ticks", () => {
    const scale = scaleFor(4e8, "By");
    expect([0, 2e8, 4e8].map((tick) => plain(inScale(tick, scale, "en")))).toEqual([
      "0 MB",
      "200 MB",
      "400 MB",
    ]);
  });
});
