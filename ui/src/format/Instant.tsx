import { useWords } from "../words";
import { ago, milliseconds, moment, utc } from "./instants";

/** A time in the person's zone, with UTC in its title; `relative` says how long ago it was. */
export function Instant({ at, now, relative = false }: { at: string; now: number; relative?: boolean }) {
  const { locale } = useWords();
  const value = milliseconds(at);
  if (value === null) return <span>–</span>;
  const local = moment(value, now, locale);
  return (
    <time dateTime={at} title={relative ? `${local} · ${utc(value)}` : utc(value)}>
      {relative ? ago(value, now, locale) : local}
    </time>
  );
}
