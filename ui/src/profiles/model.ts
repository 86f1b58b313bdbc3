import type { DiffFrame } from "../api/wire";

/** One frame of one profile: `GET /api/profiles/flame`. */
export interface Frame {
  name: string;
  file: string;
  line: number;
  value: number;
  children: Frame[];
}

export interface Flame {
  type: string;
  unit: string;
  total: number;
  profiles: number;
  seconds: number;
  root: Frame;
}

/** What was profiled: `GET /api/profiles/types`. */
export interface ProfileType {
  type: string;
  unit: string;
  profiles: number;
  family?: string;
  period_type?: string;
  period_unit?: string;
}

/** `GET /pyroscope/render`, of which the page takes the time line. */
export interface Rendered {
  timeline: { startTime: number; samples: number[]; durationDelta: number };
}

/** A tree of one profile in the shape of a difference: all cost on the candidate's side. */
export function asDifference(root: Frame): DiffFrame {
  const [top] = [bare(root)];
  const pending: [Frame, DiffFrame][] = [[root, top]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [frame, made] = next;
    for (const child of frame.children) {
      const one = bare(child);
      made.children.push(one);
      pending.push([child, one]);
    }
  }
  return top;
}

function bare({ name, file, line, value }: Frame): DiffFrame {
  return { name, file, line, baseline: 0, candidate: value, children: [] };
}

/** From a function to spans and lines of the same processes, joined by what `by` says: `GET /api/correlate`. */
export interface Around {
  traces: {
    by: string;
    count: number;
    examples: {
      trace_id: string;
      span_id: string;
      service: string;
      name: string;
      duration_ms: number;
      error: boolean;
    }[];
  };
  logs: {
    count: number;
    examples: { time: string; body: string; trace_id?: string; span_id?: string }[];
  };
}
