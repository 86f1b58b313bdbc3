import { describe, expect, it } from "vitest";
import { DARK, LIGHT } from "./palette";

type Triple = [number, number, number];

/** How linear red, green and blue are seen: Machado, Oliveira and Fernandes (2009), at full severity. */
const SEEN: Record<string, [Triple, Triple, Triple]> = {
  "all colours": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  "no red": [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  "no green": [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

function linear(hex: string): Triple {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

const times = (matrix: [Triple, Triple, Triple], [x, y, z]: Triple): Triple =>
  matrix.map(([a, b, c]) => a * x + b * y + c * z) as Triple;

/** Ottosson's Oklab, in which equal distances look about equally far. */
function oklab(light: Triple): Triple {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    light.map((value) => Math.min(1, Math.max(0, value))) as Triple,
  ).map(Math.cbrt) as Triple;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

const luminance = (hex: string) => {
  const [red, green, blue] = linear(hex);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

describe("the colours of lines", () => {
  const grounds = { light: [LIGHT, "#ffffff"], dark: [DARK, "#121b23"] } as const;

  it.each(Object.entries(grounds))(
    "are told apart on a %s ground, whichever cones are missing",
    (_, [colours]) => {
      for (const matrix of Object.values(SEEN)) {
        const seen = colours.map((hex) => oklab(times(matrix, linear(hex))));
        for (const [at, one] of seen.entries())
          for (const other of seen.slice(at + 1))
            expect(Math.hypot(...one.map((value, axis) => value - (other[axis] ?? 0)))).toBeGreaterThan(0.08);
      }
    },
  );

  it.each(Object.entries(grounds))("stand out from a %s ground", (_, [colours, ground]) => {
    for (const hex of colours) {
      const [low = 0, high = 0] = [luminance(hex), luminance(ground)].sort((a, b) => a - b);
      expect((high + 0.05) / (low + 0.05)).toBeGreaterThan(3);
    }
  });
});
