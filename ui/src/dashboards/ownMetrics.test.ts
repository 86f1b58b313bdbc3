import { describe, expect, it } from "vitest";
import { courseOf, readingOf, withReading } from "./ownMetrics";

const TEXT = (bytes: number) => `# HELP pilothouse_stored_size_bytes_total bytes
pilothouse_stored_size_bytes_total{kind="logs",otel_scope_name="pilothouse"} ${bytes}
pilothouse_storing_duration_seconds_bucket{kind="logs",le="5.0"} 2.0
process_resident_memory_bytes 5.05761792e+08
python_info{version="3.11.7"} 1.0
`;

describe("what the server says of itself", () => {
  it("is read by metric and kind", () => {
    const { values } = readingOf(TEXT(7), 1);
    expect([...values]).toEqual([
      ["pilothouse_stored_size_bytes_total logs", 7],
      ["process_resident_memory_bytes ", 505761792],
    ]);
  });

  it("is a course: values as they are, counters as what they grow by a second", () => {
    const readings = [readingOf(TEXT(100), 10), readingOf(TEXT(150), 15), readingOf(TEXT(20), 20)];
    expect(courseOf(readings, "process_resident_memory_bytes", false)[0]?.points).toHaveLength(3);
    // A counter that fell began anew with its process: nothing is known of how it grew.
    expect(courseOf(readings, "pilothouse_stored_size_bytes_total", true)).toEqual([
      { name: "logs", points: [[15, 10]] },
    ]);
  });

  it("forgets what is an hour old", () => {
    let kept: ReturnType<typeof withReading> = [];
    for (let at = 0; at < 800; at += 1) kept = withReading(kept, { at, values: new Map() });
    expect([kept.length, kept[0]?.at]).toEqual([720, 80]);
  });
});
