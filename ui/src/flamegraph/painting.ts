import type { DiffFrame } from "../api/wire";
import type { Paint } from "./colour";
import type { FlameLayout } from "./layout";
import type { Matches } from "./searching";
import { eachVisible, type FlameView } from "./viewing";

/** Height of a row with the line under it, in pixels. */
export const ROW = 19;

export interface Scene {
  layout: FlameLayout;
  view: FlameView;
  matches: Matches | null;
  /** The frame under the pointer or chosen by key. */
  marked: number | null;
  paintOf: (frame: DiffFrame) => Paint;
  ink: string;
  font: string;
  scrollTop: number;
}

/** Draws what is in sight; some thousand rectangles at most, whatever the tree's size. */
export function paint(context: CanvasRenderingContext2D, scene: Scene, height: number): void {
  context.clearRect(0, 0, scene.view.width, height);
  context.font = scene.font;
  context.textBaseline = "middle";
  const letter = context.measureText("m").width;
  eachVisible(scene.layout, scene.view, (index, left, width) => {
    const frame = scene.layout.frames[index];
    if (frame === undefined) return;
    const colours = scene.paintOf(frame);
    const top = (scene.layout.depth[index] ?? 0) * ROW - scene.scrollTop;
    const faint = scene.matches !== null && scene.matches.flags[index] === 0;
    context.globalAlpha = faint ? 0.25 : 1;
    context.fillStyle = colours.fill;
    context.fillRect(left, top, Math.max(width - 0.75, 0.5), ROW - 1);
    context.globalAlpha = faint ? 0.6 : 1;
    context.fillStyle = faint ? scene.ink : colours.ink;
    writeLabel(context, colours.sign + frame.name, left, top, width, letter);
    context.globalAlpha = 1;
    if (index === scene.marked) outline(context, scene.ink, left, top, width);
  });
}

function writeLabel(
  context: CanvasRenderingContext2D,
  label: string,
  left: number,
  top: number,
  width: number,
  letter: number,
) {
  const letters = Math.floor((width - 8) / letter);
  if (letters < 3) return;
  const text = label.length <= letters ? label : `${label.slice(0, letters - 1)}…`;
  context.fillText(text, left + 4, top + ROW / 2);
}

function outline(context: CanvasRenderingContext2D, ink: string, left: number, top: number, width: number) {
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.strokeRect(left + 1, top + 1, Math.max(width - 2.75, 1), ROW - 3);
}
