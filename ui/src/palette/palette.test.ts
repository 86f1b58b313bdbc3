import { describe, expect, it } from "vitest";
import { firstMetric, promName } from "../explore/model";
import { collectorConfig, dataSources } from "../settings/pointing";
import { en } from "../words/en";
import { type Command, fitting } from "./commands";

const command = (text: string): Command => ({
  id: text,
  group: "service",
  kind: "Service",
  text,
  to: `/${text}`,
});
const texts = (found: Command[]) => found.map(({ text }) => text);

describe("the palette", () => {
  const commands = ["cart", "checkout", "old checkout"].map(command);

  it("puts what begins with the text first, and ends with the logs", () => {
    expect(texts(fitting(commands, "check", en))).toEqual([
      "checkout",
      "old checkout",
      "Find “check” in the logs",
    ]);
    expect(texts(fitting(commands, "SERVICE ca", en))[0]).toBe("cart");
  });

  it("knows a trace by its id", () => {
    expect(fitting(commands, "A".repeat(32), en)).toMatchObject([
      { to: `/explore/traces/${"a".repeat(32)}` },
    ]);
  });

  it("shows the newest releases, all pages and some services when nothing is typed", () => {
    const many = (group: Command["group"], count: number) =>
      Array.from({ length: count }, (_, at) => ({ ...command(`${group} ${at}`), group }));
    const shown = fitting([...many("page", 20), ...many("service", 9), ...many("release", 9)], " ", en);
    expect(shown).toHaveLength(5 + 20 + 5);
    expect(shown[0]?.text).toBe("release 0");
    expect(shown[29]?.text).toBe("service 4");
  });
});

describe("where to point things", () => {
  it("is configuration that can be pasted", () => {
    expect(dataSources("http://a")).toContain("type: loki\n    access: proxy\n    url: http://a\n");
    const endpoints = { otlp_http: "http://a:4318" };
    expect(collectorConfig({ version: "1", uptime_seconds: 1, endpoints })).toContain(
      "endpoint: http://a:4318",
    );
  });
});

describe("names of metrics", () => {
  const known = ["http_server_request_duration_seconds", "process_memory_usage_bytes"];

  it("of OpenTelemetry are found among those of Prometheus", () => {
    expect(promName("process.memory.usage", known)).toBe("process_memory_usage_bytes");
    expect(promName("process.memory", ["process_memoryless"])).toBeNull();
    expect(firstMetric(known)).toBe("http_server_request_duration_seconds");
    expect(firstMetric([])).toBeNull();
  });
});
