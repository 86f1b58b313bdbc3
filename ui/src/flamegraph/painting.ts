import type { DiffFrame } from "../api/wire";
import type { Paint } from "./colour";
import type { FlameLayout } from "./layout";
import type { Matches } from "./searching";
import { eachVisible, type FlameView, ROW } from "./viewing";

export interface Scene {
  layout: FlameLayout;
  view: FlameView;
  matches: Matches | null;
  paintOf: (frame: DiffFrame) => Paint;
  ink: string;
  font: string;
  /** What of the graph is above the canvas, in pixels. */
  top: number;
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
    const top = (scene.layout.depth[index] ?? 0) * ROW - scene.top;
    const faint = scene.matches !== null && scene.matches.flags[index] === 0;
    context.globalAlpha = faint ? 0.25 : 1;
    context.fillStyle = colours.fill;
    context.fillRect(left, top, Math.max(width - 0.75, 0.5), ROW - 1);
    context.globalAlpha = faint ? 0.6 : 1;
    context.fillStyle = faint ? scene.ink : colours.ink;
    writeLabel(context, colours.sign + frame.name, left, top, width, letter);
    context.globalAlpha = 1;
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
