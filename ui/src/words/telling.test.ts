import { describe, expect, it } from "vitest";
import { measure } from "./ja/measure";
import sentences from "./ja/sentences.json";
import { fill, type Parts } from "./telling";

const slower: Parts = {
  template: "{subject} is slower: {said}",
  values: {
    subject: "POST /checkout {id}",
    said: {
      template: "{now} instead of {before} ({detail})",
      values: { now: "41 ms", before: "20 ms", detail: { template: "median", values: {} } },
    },
  },
};

describe("a sentence of the server", () => {
  it("is what the server says, in English", () => {
    expect(fill(slower)).toBe("POST /checkout {id} is slower: 41 ms instead of 20 ms (median)");
  });

  it("has its values in another language's order, to any depth", () => {
    expect(fill(slower, sentences)).toBe("POST /checkout {id} が低速化：20 ms → 41 ms（中央値）");
  });

  it("stays English where the table does not know it, and never asks an object for what it inherits", () => {
    expect(fill({ template: "{a} of {constructor}", values: { a: "1" } }, sentences)).toBe(
      "1 of {constructor}",
    );
    expect(fill({ template: "toString", values: {} }, sentences)).toBe("toString");
  });
});

describe("a measure of the judge", () => {
  it.each([
    ["duration p95", "所要時間 p95"],
    ["lines per request", "行数（リクエストあたり）"],
    ["cpu total per request", "cpu 合計（リクエストあたり）"],
    ["process.memory.usage level at the end", "process.memory.usage 期間末の値"],
    ["something else", "something else"],
  ])("%s", (english, japanese) => expect(measure(english)).toBe(japanese));
});
