import type { FlameLayout } from "./layout";

/** Height of a row with the line under it, in pixels. */
export const ROW = 19;

/** What is seen: the frame that fills the width, the width in pixels, and the rows between two scroll positions. */
export interface FlameView {
  zoomed: number;
  width: number;
  firstRow: number;
  lastRow: number;
}

/** A frame narrower than this, in pixels, cannot be seen, nor can anything it calls. */
const LEAST_WIDTH = 0.5;

/** Calls `emit` for each frame in sight, with its left edge and width in pixels. */
export function eachVisible(
  layout: FlameLayout,
  view: FlameView,
  emit: (index: number, left: number, width: number) => void,
): void {
  const from = layout.start[view.zoomed] ?? 0;
  const scale = view.width / (layout.weight[view.zoomed] || 1);
  for (let index = 0; index < layout.frames.length; ) {
    const left = Math.max(0, (at(layout.start, index) - from) * scale);
    const right = Math.min(view.width, (at(layout.start, index) + at(layout.weight, index) - from) * scale);
    const depth = at(layout.depth, index);
    if (right - left < LEAST_WIDTH || depth > view.lastRow) {
      index = at(layout.end, index);
      continue;
    }
    if (depth >= view.firstRow) emit(index, left, right - left);
    index += 1;
  }
}

/** The frame at a place, or null. `x` in pixels, `row` counted from the root. */
export function frameAt(layout: FlameLayout, view: FlameView, x: number, row: number): number | null {
  let found: number | null = null;
  eachVisible(layout, { ...view, firstRow: row, lastRow: row }, (index, left, width) => {
    if (x >= left && x < left + width) found = index;
  });
  return found;
}

/** Where a frame stands in the graph, in pixels: what is marked lies over the canvas, which need not be painted again. */
export function boxOf(layout: FlameLayout, zoomed: number, index: number, width: number) {
  const from = at(layout.start, zoomed);
  const scale = width / (layout.weight[zoomed] || 1);
  const left = Math.max(0, (at(layout.start, index) - from) * scale);
  const right = Math.min(width, (at(layout.start, index) + at(layout.weight, index) - from) * scale);
  return {
    left,
    width: Math.max(right - left - 0.75, 1),
    top: at(layout.depth, index) * ROW,
    height: ROW - 1,
  };
}

/** How many rows a zoomed graph needs: its callers and all it calls. */
export function rowsOf(layout: FlameLayout, zoomed: number): number {
  let deepest = 0;
  for (let index = zoomed; index < at(layout.end, zoomed); index += 1) {
    deepest = Math.max(deepest, at(layout.depth, index));
  }
  return deepest + 1;
}

export type Move = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home";

/** Where an arrow key leads: caller, dearest callee, or the frames beside it under the same caller. */
export function moveFrom(layout: FlameLayout, index: number, move: Move): number {
  const parent = layout.parent[index] ?? -1;
  if (move === "Home") return 0;
  if (move === "ArrowUp") return Math.max(parent, 0);
  if (move === "ArrowDown") return at(layout.end, index) > index + 1 ? index + 1 : index;
  if (parent < 0) return index;
  if (move === "ArrowRight")
    return at(layout.end, index) < at(layout.end, parent) ? at(layout.end, index) : index;
  let before = index;
  for (let sibling = parent + 1; sibling < index; sibling = at(layout.end, sibling)) before = sibling;
  return before;
}

function at(numbers: Float64Array | Int32Array | Uint16Array, index: number): number {
  return numbers[index] ?? 0;
}
