import { useEffect, useRef, useState } from "react";
import { open } from "../api/client";
import { type RunLine, readRunLine } from "./model";

/** So many lines are kept; of more, the newest. */
const KEPT = 200_000;

export interface RunLog {
  at: (index: number) => RunLine | null;
  count: number;
  state: "reading" | "ended" | "failed";
  problem: Error | null;
  /** Asks for all of it again. */
  again: () => void;
}

/** Reads a run's log as it is written, until the run ends. Paints at most once a frame. */
export function useRunLog(path: string): RunLog {
  const lines = useRef<RunLine[]>([]);
  const [told, setTold] = useState<{ count: number; state: RunLog["state"]; problem: Error | null }>({
    count: 0,
    state: "reading",
    problem: null,
  });
  const [asked, setAsked] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` asks again
  useEffect(() => {
    const given = new AbortController();
    lines.current = [];
    setTold({ count: 0, state: "reading", problem: null });
    let frame = 0;
    const paint = () => {
      frame = 0;
      setTold((before) => ({ ...before, count: lines.current.length }));
    };
    const heard = (raw: string[]) => {
      for (const line of raw) lines.current.push(readRunLine(line));
      if (lines.current.length > KEPT) lines.current.splice(0, lines.current.length - KEPT);
      if (frame === 0) frame = requestAnimationFrame(paint);
    };
    readText(path, given.signal, heard).then(
      () => setTold({ count: lines.current.length, state: "ended", problem: null }),
      (problem: Error) => {
        if (!given.signal.aborted) setTold({ count: lines.current.length, state: "failed", problem });
      },
    );
    return () => {
      given.abort();
      cancelAnimationFrame(frame);
    };
  }, [path, asked]);
  return { ...told, at: (index) => lines.current[index] ?? null, again: () => setAsked(asked + 1) };
}

async function readText(path: string, signal: AbortSignal, heard: (lines: string[]) => void) {
  const response = await open(path, signal);
  const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces?.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) heard(lines);
  }
  if (rest !== "") heard([rest]);
}
