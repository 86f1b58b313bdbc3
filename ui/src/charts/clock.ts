/** Steps of a horizontal axis in seconds that read well as times. */
export const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Writes points in time (seconds since the epoch) as short as the span allows. */
export function clock(spanSeconds: number, locale: string): (seconds: number) => string {
  const seconds = spanSeconds < 600 ? ({ second: "2-digit" } as const) : {};
  const day = spanSeconds > 86_400 ? ({ month: "short", day: "numeric" } as const) : {};
  const format = new Intl.DateTimeFormat(locale, {
    ...day,
    hour: "2-digit",
    minute: "2-digit",
    ...seconds,
    hourCycle: "h23",
  });
  return (at) => format.format(at * 1000);
}
