import { describe, expect, it } from "vitest";
import { firstQuery, rateRange, unitOf } from "./asking";
import { nameOf, numberOf, telling } from "./naming";

const HOUR = { from: 0, until: 3_600_000 };
const FACTS = {
  request_seconds: { type: "histogram", unit: "s", help: "" },
  cpu_seconds_total: { type: "counter", unit: "s", help: "" },
  memory_bytes: { type: "gauge", unit: "By", help: "" },
};

describe("the first question to a metric", () => {
  it("asks for quantiles of each version, rates of counters, values of gauges", () => {
    expect(firstQuery("request_seconds", "histogram", "", HOUR)).toContain(
      "group_left (service_version) target_info))",
    );
    expect(firstQuery("cpu_seconds_total", "counter", 'service_name="a"', HOUR)).toBe(
      'rate(cpu_seconds_total{job="a"}[1m])',
    );
    expect(firstQuery("memory_bytes", "gauge", 'service.name="a",service_version="2"', HOUR)).toBe(
      'memory_bytes{job="a"} and on (job, instance) target_info{service_version="2"}',
    );
  });

  it("looks back at least four steps", () => {
    expect(rateRange(HOUR)).toBe("1m");
    expect(rateRange({ from: 0, until: 86_400_000 })).toBe("40m");
  });
});

describe("units", () => {
  it.each([
    ["memory_bytes", "By"],
    ["rate(cpu_seconds_total[1m])", "s/s"],
    [firstQuery("request_seconds", "histogram", "", HOUR), "s"],
    ["rate(request_seconds_count[1m])", "/s"],
    ["rate(request_seconds_sum[1m]) / rate(request_seconds_count[1m])", ""],
    ["memory_bytes / 1024", ""],
    ["something_else", ""],
  ])("%s: %s", (query, unit) => expect(unitOf(query, FACTS)).toBe(unit));
});

describe("names of series", () => {
  it("say only that in which they differ", () => {
    const series = [
      { __name__: "up", job: "a", env: "x" },
      { __name__: "up", job: "b", env: "x" },
    ];
    expect(series.map((labels) => nameOf(labels, telling(series), "up"))).toEqual(["job=a", "job=b"]);
    expect(nameOf({ __name__: "up", job: "a" }, [], "q")).toBe("up");
    expect(nameOf({}, [], "sum(up)")).toBe("sum(up)");
  });

  it("leave out what cannot be drawn", () => {
    expect(["1.5", "NaN", "+Inf"].map(numberOf)).toEqual([1.5, null, null]);
  });
});
