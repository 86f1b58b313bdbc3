import { type Level, levelOf } from "../charts/palette";

/** A log line with its three kinds of labels: its stream's, its structured metadata, what a pipeline found in it. */
export interface LogLine {
  time: string;
  line: string;
  stream: Record<string, string>;
  metadata: Record<string, string>;
  parsed: Record<string, string>;
  before?: LogLine[];
  after?: LogLine[];
}

export function level(line: LogLine): Level {
  return levelOf(line.metadata.detected_level ?? line.parsed.level ?? line.stream.level);
}

export function serviceOf(line: LogLine): string {
  return line.stream.service_name ?? line.stream.job ?? "";
}

export function traceOf(line: LogLine): string | null {
  const trace = line.metadata.trace_id ?? line.parsed.trace_id ?? null;
  return trace !== null && /^[0-9a-f]{32}$/.test(trace) ? trace : null;
}

/** Lines as they came over the wire, read when they are looked at: a million of them are just text until then. */
export class Lines {
  private readonly read = new Map<number, LogLine>();

  constructor(private readonly raw: string[] = []) {}

  get count(): number {
    return this.raw.length;
  }

  add(lines: readonly string[]) {
    for (const line of lines) this.raw.push(line);
  }

  at(index: number): LogLine | null {
    const known = this.read.get(index);
    if (known !== undefined) return known;
    const text = this.raw[index];
    if (text === undefined) return null;
    const line = (JSON.parse(text) as { log: LogLine }).log;
    if (this.read.size > 5_000) this.read.clear();
    this.read.set(index, line);
    return line;
  }
}
