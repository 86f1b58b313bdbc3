/**
 * Colours of lines and bars. The hues are those of Okabe and Ito ("Color Universal Design", 2008), which people with
 * the common colour blindnesses tell apart, darkened for a light ground and lightened for a dark one; after eight
 * lines the colours come again, dashed.
 */
const LIGHT = ["#0a6fb5", "#c2560a", "#057a5b", "#a8417f", "#8a6d00", "#3d4fb8", "#8f2d2d", "#4b5b6b"];
const DARK = ["#5db4ec", "#f0a45b", "#3fcf9f", "#e39ac6", "#e6cf4a", "#a6b0ff", "#ff9d8f", "#b4c2cf"];

export interface Stroke {
  colour: string;
  dash: number[];
}

export function strokeOf(index: number, dark: boolean): Stroke {
  const colours = dark ? DARK : LIGHT;
  const round = Math.floor(index / colours.length) % 3;
  return { colour: colours[index % colours.length] ?? "", dash: [[], [6, 3], [2, 3]][round] ?? [] };
}

/** A level of a log line, from the quiet to the loud; also for whatever is not known. */
export const LEVELS = ["fatal", "critical", "error", "warn", "info", "debug", "trace", "unknown"] as const;
export type Level = (typeof LEVELS)[number];

const OF_LEVEL: Record<Level, [light: string, dark: string]> = {
  fatal: ["#7d1a5c", "#f08cc9"],
  critical: ["#7d1a5c", "#f08cc9"],
  error: ["#b42a08", "#ff8565"],
  warn: ["#9a6b00", "#eac25f"],
  info: ["#2d7fb8", "#4f9fd6"],
  debug: ["#66788a", "#8296a8"],
  trace: ["#93a1af", "#5d6f80"],
  unknown: ["#93a1af", "#5d6f80"],
};

export function levelOf(text: string | undefined): Level {
  const lower = (text ?? "").toLowerCase();
  if (lower.startsWith("warn")) return "warn";
  if (lower.startsWith("err")) return "error";
  return LEVELS.find((level) => level === lower) ?? "unknown";
}

export function colourOfLevel(level: Level, dark: boolean): string {
  return OF_LEVEL[level][dark ? 1 : 0];
}
