import { open } from "../api/client";
import { ApiProblem } from "../api/problem";

/** How far a search has come: until which time, how many lines were read, whether that was all. */
export interface Reading {
  covered: [start: string, end: string];
  read: { rows: number; bytes: number; seconds: number };
}

export interface End extends Reading {
  lines: number;
  complete: boolean;
  took_seconds: number;
  next?: { start?: string; end?: string };
}

interface Heard {
  lines: (raw: string[]) => void;
  progress: (reading: Reading) => void;
}

/** Reads an answer of `/api/logs/query` as it comes. Throws ApiProblem, or the AbortError of `signal`. */
export async function readLines(path: string, signal: AbortSignal, heard: Heard): Promise<End | null> {
  const response = await open(path, signal);
  const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let end: End | null = null;
  for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces?.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop() ?? "";
    const found = lines.filter((line) => line.startsWith('{"log"'));
    if (found.length > 0) heard.lines(found);
    for (const line of lines) {
      if (line === "" || line.startsWith('{"log"')) continue;
      const said = JSON.parse(line) as {
        progress?: Reading;
        end?: End;
        error?: { code: string; message: string };
      };
      if (said.error) throw new ApiProblem(said.error.code, said.error.message, 200);
      if (said.progress) heard.progress(said.progress);
      if (said.end) end = said.end;
    }
  }
  return end;
}
