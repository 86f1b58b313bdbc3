import { describe, expect, it } from "vitest";
import { inSight, scrollTo, TALLEST } from "../controls/windowing";
import { logql, streamsOf } from "./asking";
import { later } from "./Context";
import { pretty } from "./LineDetails";
import { Lines } from "./line";
import { longest } from "./Patterns";
import { linesOf } from "./tailing";

describe("a question to logs", () => {
  it("is LogQL that a person could have written", () => {
    const question = { selector: 'service.name="a"', find: 'say "hi"', severity: "warn", pipeline: "| json" };
    expect(logql(question)).toBe(
      '{service_name="a"} |= "say \\"hi\\"" | detected_level=~"warn|error|fatal|critical" | json',
    );
    expect(streamsOf(" ")).toBe('{service_name=~".+"}');
  });
});

describe("a long list", () => {
  it("draws only what is in sight", () => {
    const { first, last, top } = inSight(1_000, 20, 2_000, 400);
    expect([first, last, top]).toEqual([96, 124, 1_920]);
    expect(inSight(3, 20, 0, 400)).toMatchObject({ first: 0, last: 3, height: 60 });
  });

  it("reaches the last of ten million lines", () => {
    const [count, row, shown] = [10_000_000, 22, 600];
    expect(inSight(count, row, 0, shown).height).toBe(TALLEST);
    expect(inSight(count, row, TALLEST - shown, shown).last).toBe(count);
    const to = scrollTo(count - 1, count, row, 0, shown) ?? 0;
    expect(inSight(count, row, to, shown).last).toBe(count);
  });

  it("does not scroll to what is in sight", () => expect(scrollTo(5, 100, 20, 0, 400)).toBeNull());
});

describe("lines", () => {
  it("are read when they are looked at", () => {
    const lines = new Lines();
    lines.add(['{"log":{"time":"t","line":"a","stream":{},"metadata":{},"parsed":{}}}']);
    expect(lines.at(0)?.line).toBe("a");
    expect(lines.at(1)).toBeNull();
  });

  it("come in order from a tail", () => {
    const stream = { service_name: "a", trace_id: "1" };
    const found = linesOf({
      streams: [
        { stream, values: [["2000000001", "second"]] },
        { stream, values: [["2000000000", "first"]] },
      ],
    });
    expect(found.map(({ line }) => line)).toEqual(["first", "second"]);
    expect(found[1]).toMatchObject({ time: "1970-01-01T00:00:02.000000001Z", metadata: { trace_id: "1" } });
  });

  it("have a next nanosecond", () => {
    expect(later("2026-01-01T00:00:00.000000009Z")).toBe("2026-01-01T00:00:00.000000010Z");
    expect(later("2026-01-01T00:00:59.999999999Z")).toBe("2026-01-01T00:01:00.000000000Z");
    expect(later("2026-01-01T00:00:00Z")).toBe("2026-01-01T00:00:00.000000001Z");
  });

  it("that are JSON are spread out, others left alone", () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty("{not json")).toBe("{not json");
  });

  it("of a pattern share its longest text", () =>
    expect(longest("a <_> longer text <*> b")).toBe("longer text"));
});
