import type { DiffFrame } from "../api/wire";

/** Blue for what costs less, red for what costs more: told apart with every common colour blindness. */

type Rgb = readonly [number, number, number];

interface Palette {
  less: Rgb;
  same: Rgb;
  more: Rgb;
}

const LIGHT: Palette = { less: [54, 124, 190], same: [224, 228, 233], more: [214, 66, 42] };
const DARK: Palette = { less: [72, 150, 220], same: [52, 64, 76], more: [232, 92, 66] };

/** Steps on either side of "same". */
export const STEPS = 6;

/** From -6 (only in the baseline) over 0 (the same) to 6 (only in the candidate). */
export function toneOf(baseline: number, candidate: number): number {
  const most = Math.max(baseline, candidate);
  return most <= 0 ? 0 : Math.round(((candidate - baseline) / most) * STEPS);
}

/** A tone's fill and the ink that can be read on it. */
export interface Tone {
  fill: string;
  ink: string;
}

/** The tones -6 ... 6, at index 0 ... 12. */
export function tones(dark: boolean): Tone[] {
  const palette = dark ? DARK : LIGHT;
  return Array.from({ length: 2 * STEPS + 1 }, (_, index) => {
    const tone = index - STEPS;
    const colour = mix(palette.same, tone < 0 ? palette.less : palette.more, Math.abs(tone) / STEPS);
    return { fill: `rgb(${colour.join(" ")})`, ink: luminance(colour) > 0.179 ? "#000000" : "#ffffff" };
  });
}

/** How a frame is painted: its colours, and a sign where colour says something. */
export interface Paint extends Tone {
  sign: string;
}

/** Change from which a frame's label also has a sign, so that colour is not all there is. */
const SIGNED = 2;

/** Paints frames by which of two versions they cost more. */
export function paintDifference(dark: boolean): (frame: DiffFrame) => Paint {
  const all = tones(dark);
  return (frame) => {
    const tone = toneOf(frame.baseline, frame.candidate);
    const { fill = "", ink = "" } = all[tone + STEPS] ?? {};
    return { fill, ink, sign: Math.abs(tone) < SIGNED ? "" : tone > 0 ? "▲ " : "▼ " };
  };
}

const MODULES: Record<"light" | "dark", readonly [number, number, number][]> = {
  light: [
    [243, 199, 130],
    [246, 178, 107],
    [233, 196, 106],
    [240, 164, 136],
    [217, 208, 142],
    [226, 176, 160],
    [201, 214, 176],
    [236, 188, 176],
  ],
  dark: [
    [143, 95, 34],
    [150, 78, 30],
    [122, 102, 32],
    [140, 70, 52],
    [104, 104, 48],
    [128, 82, 70],
    [84, 106, 66],
    [136, 88, 84],
  ],
};

/** Paints the frames of one profile: those of a file alike, so that modules stand out. Colour says no more. */
export function paintModules(dark: boolean): (frame: DiffFrame) => Paint {
  const colours = MODULES[dark ? "dark" : "light"].map((colour) => ({
    fill: `rgb(${colour.join(" ")})`,
    ink: luminance(colour) > 0.179 ? "#000000" : "#ffffff",
    sign: "",
  }));
  const none = { fill: "", ink: "", sign: "" };
  return ({ name, file }) => colours[sum(file || name.split(/[.:/]/, 1)[0] || name) % colours.length] ?? none;
}

function sum(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index += 1) value = (value * 31 + text.charCodeAt(index)) >>> 0;
  return value;
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const channel = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * part);
  return [channel(0), channel(1), channel(2)];
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
