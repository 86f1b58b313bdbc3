import { useCallback, useEffect, useRef, useState } from "react";
import { Lines } from "./line";
import { type End, type Reading, readLines } from "./reading";

export interface Found {
  lines: Lines;
  /** Grows with each piece that came. */
  generation: number;
  state: "reading" | "done" | "stopped" | "failed";
  progress: Reading | null;
  end: End | null;
  problem: Error | null;
  stop: () => void;
  again: () => void;
}

const NOTHING = { generation: 0, progress: null, end: null, problem: null } as const;

/** The lines of a question, as they come; null asks nothing. A new question, or leaving the page, ends the old one. */
export function useLines(path: string | null): Found {
  const [lines, setLines] = useState(() => new Lines());
  const [told, setTold] = useState<Omit<Found, "lines" | "stop" | "again">>({ ...NOTHING, state: "reading" });
  const [attempt, setAttempt] = useState(0);
  const abort = useRef<AbortController | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks the same again
  useEffect(() => {
    if (path === null) return;
    const [control, fresh] = [new AbortController(), new Lines()];
    abort.current = control;
    let drawn = 0;
    setTold({ ...NOTHING, state: "reading" });
    // What was there stays until the first answer, so that a refresh does not blink.
    const show = () => {
      cancelAnimationFrame(drawn);
      drawn = requestAnimationFrame(() => {
        setLines(fresh);
        setTold((before) => ({ ...before, generation: before.generation + 1 }));
      });
    };
    readLines(path, control.signal, {
      lines: (raw) => {
        fresh.add(raw);
        show();
      },
      progress: (progress) => setTold((before) => ({ ...before, progress })),
    }).then(
      (end) => {
        show();
        setTold((before) => ({ ...before, state: "done", end, progress: end ?? before.progress }));
      },
      (problem: Error) => {
        if (control.signal.aborted) setTold((before) => ({ ...before, state: "stopped" }));
        else setTold((before) => ({ ...before, state: "failed", problem }));
      },
    );
    return () => control.abort();
  }, [path, attempt]);
  const stop = useCallback(() => abort.current?.abort(), []);
  const again = useCallback(() => setAttempt((before) => before + 1), []);
  return { lines, ...told, stop, again };
}
