/**
 * Colours of lines and bars. The hues are about those of Okabe and Ito ("Color Universal Design", 2008), each with a
 * lightness of its own, so that people with the common colour blindnesses tell any two apart (`palette.test.ts`);
 * after eight lines the colours come again, dashed.
 */
export const LIGHT = ["#1a63ad", "#844800", "#2e9070", "#73125a", "#917312", "#4676e0", "#7a0413", "#5b5c5d"];
export const DARK = ["#70b3fc", "#f89b31", "#94fcac", "#cb7c98", "#f6ce4c", "#9183da", "#e99689", "#cacddd"];

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
