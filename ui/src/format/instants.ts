/** Points in time. The wire has RFC 3339 in UTC, up to nanoseconds; the page shows the person's zone. */

/** Milliseconds since the epoch, or null for a text that is no time. */
export function milliseconds(text: string): number | null {
  // Date.parse is only sure to know milliseconds; the wire may carry nine digits.
  const value = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(value) ? null : value;
}

/** "10:42:07" today, "Nov 22, 10:42" otherwise, in the person's zone. */
export function moment(at: number, now: number, locale: string): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  const options: Intl.DateTimeFormatOptions = sameDay
    ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }
    : { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(locale, options).format(at);
}

/** "2026-11-23 09:42:07 UTC", for the title of a time. */
export function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const STEPS: readonly [limit: number, one: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400, 3600, "hour"],
  [Number.POSITIVE_INFINITY, 86_400, "day"],
];

/** "5 minutes ago". */
export function ago(at: number, now: number, locale: string): string {
  const seconds = Math.max(0, (now - at) / 1000);
  const [, one, unit] = STEPS.find(([limit]) => seconds < limit) ?? [0, 86_400, "day"];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }).format(
    -Math.round(seconds / one),
    unit,
  );
}
