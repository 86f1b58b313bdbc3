import { describe, expect, it } from "vitest";
import { between, boundsOf, changeWindow, readWindow, stepOf, wider } from "../address/window";
import { adding, formatSelector, parseSelector, valueIn, withValue } from "./selector";

describe("a selector", () => {
  it("is read and written", () => {
    const text = 'service_name="a\\"b",env=~"x|y",zone!="1"';
    expect(parseSelector(text)?.map(({ value }) => value)).toEqual(['a"b', "x|y", "1"]);
    expect(formatSelector(parseSelector(`{${text}}`) ?? [])).toBe(text);
  });

  it.each(["service_name=checkout", "=", 'a="b" c="d"', 'a="b', "a"])("%s is none", (text) =>
    expect(parseSelector(text)).toBeNull(),
  );

  it("changes one label and keeps the others", () => {
    expect(withValue('env="x"', "service_name", "a")).toBe('service_name="a",env="x"');
    expect(withValue('service.name="a",env="x"', "service_name", null)).toBe('env="x"');
    expect(valueIn('service.name="a"', "service_name")).toBe("a");
    expect(valueIn('service_name!="a"', "service_name")).toBeNull();
    expect(adding('a="1"', { label: "a", operator: "=", value: "1" })).toBe('a="1"');
  });
});

const NOW = Date.UTC(2026, 0, 2);
const read = (text: string) => readWindow(new URLSearchParams(text));

describe("a window", () => {
  it("is a distance from now, or two points", () => {
    expect(boundsOf(read(""), NOW)).toEqual({ from: NOW - 3_600_000, until: NOW });
    expect(boundsOf(read("since=2d"), NOW).from).toBe(NOW - 2 * 86_400_000);
    const fixed = "start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z";
    expect(boundsOf(read(fixed), NOW)).toEqual({ from: NOW - 86_400_000, until: NOW - 82_800_000 });
  });

  it.each(["since=soon", "start=nonsense", "since=-1h", "since=99999999999h"])("%s is an hour", (text) =>
    expect(boundsOf(read(text), NOW).from).toBe(NOW - 3_600_000),
  );

  it("never ends before it begins", () => {
    const { from, until } = boundsOf(read("start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z"), NOW);
    expect(from).toBeLessThan(until);
  });

  it("goes into the address and out again", () => {
    const bounds = { from: NOW - 5_000, until: NOW };
    const search = changeWindow(new URLSearchParams("since=1d&selector=x"), between(bounds));
    expect(search.get("since")).toBeNull();
    expect(search.get("selector")).toBe("x");
    expect(boundsOf(readWindow(search), 0)).toEqual(bounds);
    expect(wider(bounds, NOW)).toEqual({ from: NOW - 7_500, until: NOW });
  });

  it("has steps that read well", () => {
    expect(stepOf({ from: 0, until: 3_600_000 }, 120)).toBe(30);
    expect(stepOf({ from: 0, until: 1_000 }, 120)).toBe(1);
  });
});
