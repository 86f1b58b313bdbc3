import { describe, expect, it } from "vitest";
import { ago, milliseconds, moment, utc } from "./instants";

const NOON = Date.UTC(2026, 10, 23, 12, 0, 0);

describe("times of the wire", () => {
  it("reads nanoseconds", () => {
    expect(milliseconds("2026-11-23T12:00:00.123456789Z")).toBe(NOON + 123);
    expect(milliseconds("2026-11-23T12:00:00Z")).toBe(NOON);
  });

  it("knows what is no time", () => expect(milliseconds("yesterday")).toBeNull());
});

describe("times for people", () => {
  it("gives UTC whole", () => expect(utc(NOON)).toBe("2026-11-23 12:00:00 UTC"));

  it("leaves out the day only when it is today", () => {
    expect(moment(NOON, NOON + 1000, "en")).toMatch(/^\d\d:00:00$/);
    expect(moment(NOON - 3 * 86_400_000, NOON, "en")).toMatch(/^Nov 20, \d\d:00$/);
  });

  it.each([
    [5, "5 sec. ago"],
    [118 * 60, "2 hr. ago"],
    [3 * 86_400, "3 days ago"],
    [-5, "now"],
  ])("%s s before is %s", (seconds, text) => expect(ago(NOON - seconds * 1000, NOON, "en")).toBe(text));

  it("speaks Japanese", () => expect(ago(NOON - 120_000, NOON, "ja")).toBe("2 分前"));
});
