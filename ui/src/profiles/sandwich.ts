import type { DiffFrame } from "../api/wire";

/** A function from both sides: who calls it (nearest first, upside down), and what it calls. */
export interface Sandwich {
  callers: DiffFrame;
  callees: DiffFrame;
}

/**
 * All places of a function put together. Of a function that calls itself only the outermost place counts for the
 * callees, so that nothing is added twice; each path to it counts once for the callers.
 */
export function sandwich(root: DiffFrame, name: string): Sandwich {
  const [callers, callees] = [empty(name), empty(name)];
  const pending: { frame: DiffFrame; above: DiffFrame[] }[] = [{ frame: root, above: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { frame, above } = next;
    if (frame.name === name) {
      merge(callees, frame);
      climb(callers, frame, above);
      continue;
    }
    const path = [...above, frame];
    for (const child of frame.children) pending.push({ frame: child, above: path });
  }
  return { callers, callees };
}

function empty(name: string): DiffFrame {
  return { name, file: "", line: 0, baseline: 0, candidate: 0, children: [] };
}

function add(to: DiffFrame, from: DiffFrame) {
  to.baseline += from.baseline;
  to.candidate += from.candidate;
  if (to.file === "") [to.file, to.line] = [from.file, from.line];
}

function childOf(parent: DiffFrame, name: string): DiffFrame {
  const known = parent.children.find((child) => child.name === name);
  if (known !== undefined) return known;
  const fresh = empty(name);
  parent.children.push(fresh);
  return fresh;
}

function merge(to: DiffFrame, from: DiffFrame) {
  const pending: [DiffFrame, DiffFrame][] = [[to, from]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [into, frame] = next;
    add(into, frame);
    for (const child of frame.children) pending.push([childOf(into, child.name), child]);
  }
}

/** Adds what the function costs here to each of its callers, the nearest first; the root is no caller. */
function climb(callers: DiffFrame, frame: DiffFrame, above: DiffFrame[]) {
  add(callers, frame);
  let at = callers;
  for (const caller of above.slice(1).reverse()) {
    at = childOf(at, caller.name);
    at.baseline += frame.baseline;
    at.candidate += frame.candidate;
    if (at.file === "") [at.file, at.line] = [caller.file, caller.line];
  }
}
