import type { DiffFrame } from "../api/wire";

/**
 * A call tree laid out flat, in preorder, so that drawing and searching are loops over arrays.
 * Frame i and all it calls are i ... end[i] - 1. A frame is as wide as both versions' cost together, which keeps
 * what only one of them has in sight; `start` is in the same unit.
 */
export interface FlameLayout {
  frames: DiffFrame[];
  depth: Uint16Array;
  start: Float64Array;
  weight: Float64Array;
  parent: Int32Array;
  end: Int32Array;
  /** A number for the path from the root, for addresses. */
  key: Uint32Array;
  depths: number;
}

interface Pending {
  frame: DiffFrame;
  parent: number;
  depth: number;
  start: number;
  key: number;
}

/** Lays out a tree of any depth; the dearest callee comes first. Frames without cost are left out. */
export function layFlames(root: DiffFrame): FlameLayout {
  const laid: Pending[] = [];
  const pending: Pending[] = [
    { frame: root, parent: -1, depth: 0, start: 0, key: hash(FNV_OFFSET, root.name) },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const index = laid.push(next) - 1;
    pending.push(...calleesOf(next, index).reverse());
  }
  return flat(laid);
}

function calleesOf(caller: Pending, parent: number): Pending[] {
  let start = caller.start;
  const callees = caller.frame.children
    .filter((frame) => costOf(frame) > 0)
    .sort((a, b) => costOf(b) - costOf(a));
  return callees.map((frame) => {
    const pending = { frame, parent, depth: caller.depth + 1, start, key: hash(caller.key, frame.name) };
    start += costOf(frame);
    return pending;
  });
}

function flat(laid: Pending[]): FlameLayout {
  const end = new Int32Array(laid.length);
  for (let index = laid.length - 1; index >= 0; index -= 1) {
    end[index] = Math.max(end[index] ?? 0, index + 1);
    const parent = laid[index]?.parent ?? -1;
    if (parent >= 0) end[parent] = Math.max(end[parent] ?? 0, end[index] ?? 0);
  }
  return {
    frames: laid.map((item) => item.frame),
    depth: Uint16Array.from(laid, (item) => item.depth),
    start: Float64Array.from(laid, (item) => item.start),
    weight: Float64Array.from(laid, (item) => costOf(item.frame)),
    parent: Int32Array.from(laid, (item) => item.parent),
    key: Uint32Array.from(laid, (item) => item.key),
    end,
    depths: laid.reduce((deepest, item) => Math.max(deepest, item.depth + 1), 0),
  };
}

/** What both versions spend in a frame together. */
export function costOf(frame: DiffFrame): number {
  return Math.max(frame.baseline, 0) + Math.max(frame.candidate, 0);
}

const FNV_OFFSET = 0x811c9dc5;

/** FNV-1a over 32 bits (the algorithm of Fowler, Noll and Vo), carried on from `seed`. */
function hash(seed: number, text: string): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return Math.imul(value ^ 0x1f, 0x01000193) >>> 0;
}

/** The text in an address for a frame. */
export function keyOf(layout: FlameLayout, index: number): string {
  return (layout.key[index] ?? 0).toString(36);
}

/** The frame that an address means; 0, the root, when there is none such. */
export function frameOf(layout: FlameLayout, key: string | null): number {
  return key === null ? 0 : Math.max(0, layout.key.indexOf(Number.parseInt(key, 36)));
}
