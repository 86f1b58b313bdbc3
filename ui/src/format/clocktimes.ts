/** Clock times as people say them, in their own zone; the command line reads the same (`signals/clocktimes.py`). */

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DAY =
  "(?<day>today|yesterday|(?:sun|mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?)(?:day)?|\\d{4}-\\d{2}-\\d{2})";
const CLOCK = "(?<hour>\\d{1,2})(?::(?<minute>\\d{2})(?::(?<second>\\d{2}))?)?\\s*(?<half>am|pm)?";
const SAID = new RegExp(`^(?:${DAY}(?:,?\\s+(?:at\\s+)?|t|$))?(?:${CLOCK}|(?<named>noon|midnight))?$`, "i");
const AGO = /^(\d{1,6})\s*(s|m|h|d|w)(?:\s+ago)?$/i;
const UNIT: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds since the epoch of "14:05", "yesterday 14:00", "friday 9:30", "20m", "now", or RFC 3339; else null. */
export function parseMoment(text: string, now: number): number | null {
  const said = text.trim();
  if (said.toLowerCase() === "now") return now;
  const ago = AGO.exec(said);
  if (ago !== null) return now - Number(ago[1]) * (UNIT[(ago[2] ?? "").toLowerCase()] ?? 0);
  const clock = parseClock(said, now);
  if (clock !== null) return clock;
  const zoned = /^\d{4}-\d{2}-\d{2}T\S+(?:Z|[+-]\d{2}:\d{2})$/i.test(said) ? Date.parse(said) : Number.NaN;
  return Number.isNaN(zoned) ? null : zoned;
}

/** Only what names a time of day or a day; null for anything else. */
export function parseClock(said: string, now: number): number | null {
  const found = said === "" ? undefined : SAID.exec(said)?.groups;
  if (found === undefined) return null;
  const time = timeOf(found);
  const day = found.day?.toLowerCase();
  const date = new Date(now);
  if (time === null || !goTo(date, day)) return null;
  date.setHours(time[0], time[1], time[2], 0);
  // What is asked about has been: a time that is yet to come means the one before.
  const again = day === undefined ? 1 : DAYS.includes(day.slice(0, 3)) ? 7 : 0;
  if (date.getTime() > now) date.setDate(date.getDate() - again);
  return date.getTime();
}

function timeOf(found: Record<string, string | undefined>): [number, number, number] | null {
  if (found.named) return [found.named.toLowerCase() === "noon" ? 12 : 0, 0, 0];
  if (found.hour === undefined) return found.day ? [0, 0, 0] : null;
  const half = found.half?.toLowerCase();
  if (found.minute === undefined && half === undefined) return null;
  const said = Number(found.hour);
  if (half !== undefined && (said < 1 || said > 12)) return null;
  const hour = half === undefined ? said : (said % 12) + (half === "pm" ? 12 : 0);
  const [minute, second] = [Number(found.minute ?? 0), Number(found.second ?? 0)];
  return hour < 24 && minute < 60 && second < 60 ? [hour, minute, second] : null;
}

/** Moves a date to the day that is meant; false for a day that is none. */
function goTo(date: Date, day: string | undefined): boolean {
  if (day === undefined || day === "today") return true;
  if (day === "yesterday") date.setDate(date.getDate() - 1);
  else if (/^\d/.test(day)) {
    const [year = 0, month = 0, of = 0] = day.split("-").map(Number);
    date.setFullYear(year, month - 1, of);
    return date.getMonth() === month - 1 && date.getDate() === of;
  } else date.setDate(date.getDate() - ((date.getDay() - DAYS.indexOf(day.slice(0, 3)) + 7) % 7));
  return true;
}
