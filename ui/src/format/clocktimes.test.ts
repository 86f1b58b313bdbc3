import { describe, expect, it } from "vitest";
import { parseMoment } from "./clocktimes";

// A Wednesday, half past three in whatever zone this runs in.
const NOW = new Date(2026, 10, 25, 15, 30).getTime();
const at = (day: number, hour: number, minute = 0, second = 0) =>
  new Date(2026, 10, day, hour, minute, second).getTime();

describe("what a person says", () => {
  it.each([
    ["14:05", at(25, 14, 5)],
    ["2:05pm", at(25, 14, 5)],
    ["16:00", at(24, 16)],
    ["noon", at(25, 12)],
    ["yesterday", at(24, 0)],
    ["Yesterday at 9:30:15", at(24, 9, 30, 15)],
    ["friday 9:30", at(20, 9, 30)],
    ["wed 16:00", at(18, 16)],
    ["2026-11-20 14:00", at(20, 14)],
    ["2026-11-20T14:00:01", at(20, 14, 0, 1)],
    ["2026-11-20T14:00:00Z", Date.UTC(2026, 10, 20, 14)],
    ["20m", NOW - 1_200_000],
    ["2h ago", NOW - 7_200_000],
    ["now", NOW],
  ])("%s is a time", (said, meant) => expect(parseMoment(said, NOW)).toBe(meant));
  it.each(["", "14", "25:00", "13pm", "2026-02-30 10:00", "some day", "1 2"])("%s is none", (said) =>
    expect(parseMoment(said, NOW)).toBeNull(),
  );
});
