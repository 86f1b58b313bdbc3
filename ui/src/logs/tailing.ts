import { useEffect, useRef, useState } from "react";
import type { LogLine } from "./line";

/** So many of the newest lines are kept while following. */
const KEPT = 10_000;

export interface Tail {
  /** The newest line first. */
  at: (index: number) => LogLine | null;
  count: number;
  generation: number;
  state: "connecting" | "open" | "closed";
  reason: string;
  /** How many came while it was held. */
  held: number;
}

interface Message {
  streams: {
    stream: Record<string, string>;
    values: [nanoseconds: string, line: string, more?: unknown][];
  }[];
}

/** Follows a query over a WebSocket (`/loki/api/v1/tail`). While held, lines are kept back and counted. */
export function useTail(query: string | null, hold: boolean): Tail {
  const kept = useRef<LogLine[]>([]);
  const waiting = useRef<LogLine[]>([]);
  const holding = useRef(hold);
  const [told, setTold] = useState({
    generation: 0,
    state: "connecting" as Tail["state"],
    reason: "",
    held: 0,
  });
  holding.current = hold;
  useEffect(() => {
    if (!hold && waiting.current.length > 0) release(kept.current, waiting.current);
    setTold((before) => ({ ...before, held: waiting.current.length, generation: before.generation + 1 }));
  }, [hold]);
  useEffect(() => {
    if (query === null) return;
    kept.current = [];
    waiting.current = [];
    setTold({ generation: 0, state: "connecting", reason: "", held: 0 });
    const socket = new WebSocket(addressOf(query));
    socket.onopen = () => setTold((before) => ({ ...before, state: "open" }));
    socket.onclose = (event) => setTold((before) => ({ ...before, state: "closed", reason: event.reason }));
    socket.onmessage = (event: MessageEvent<string>) => {
      waiting.current.push(...linesOf(JSON.parse(event.data) as Message));
      if (waiting.current.length > KEPT) waiting.current.splice(0, waiting.current.length - KEPT);
      if (!holding.current) release(kept.current, waiting.current);
      setTold((before) => ({ ...before, held: waiting.current.length, generation: before.generation + 1 }));
    };
    return () => socket.close();
  }, [query]);
  return {
    ...told,
    count: kept.current.length,
    at: (index) => kept.current[kept.current.length - 1 - index] ?? null,
  };
}

function release(kept: LogLine[], waiting: LogLine[]) {
  kept.push(...waiting.splice(0));
  if (kept.length > KEPT) kept.splice(0, kept.length - KEPT);
}

function addressOf(query: string): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const start = `${Date.now() - 30_000}000000`;
  return `${scheme}//${location.host}/loki/api/v1/tail?${new URLSearchParams({ query, start, limit: "200" })}`;
}

/** The lines of a message, oldest first. The tail mixes metadata into the labels; what is known to be of a line is put there. */
export function linesOf({ streams }: Message): LogLine[] {
  const lines = streams.flatMap(({ stream, values }) =>
    values.map(([nanoseconds, line]) => ({
      order: BigInt(nanoseconds),
      line: lineOf(nanoseconds, line, stream),
    })),
  );
  return lines.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0)).map(({ line }) => line);
}

const OF_LINES = ["detected_level", "severity_text", "severity_number", "trace_id", "span_id", "scope_name"];

function lineOf(nanoseconds: string, line: string, labels: Record<string, string>): LogLine {
  const ofLine = (name: string) => OF_LINES.includes(name);
  const pick = (wanted: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(labels).filter(([name]) => wanted(name)));
  const milliseconds = Number(BigInt(nanoseconds) / 1_000_000n);
  const fraction = nanoseconds.slice(-9);
  const time = `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction}Z`;
  return { time, line, stream: pick((name) => !ofLine(name)), metadata: pick(ofLine), parsed: {} };
}
