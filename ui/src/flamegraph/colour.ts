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
