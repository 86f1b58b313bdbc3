/**
 * Numbers with units. Units are UCUM as OpenTelemetry writes them: `By`, `ms`, `1`, `%`, `{request}`,
 * with `/s` behind a rate.
 */

/** How a magnitude is written: the value is divided by `factor`, and `symbol` stands behind it. */
export interface Scale {
  factor: number;
  symbol: string;
}

const SECONDS: readonly [Scale, ...Scale[]] = [
  { factor: 1e-9, symbol: "ns" },
  { factor: 1e-6, symbol: "µs" },
  { factor: 1e-3, symbol: "ms" },
  { factor: 1, symbol: "s" },
  { factor: 60, symbol: "min" },
  { factor: 3600, symbol: "h" },
];

const BYTES: readonly [Scale, ...Scale[]] = [
  { factor: 1, symbol: "B" },
  { factor: 1e3, symbol: "kB" },
  { factor: 1e6, symbol: "MB" },
  { factor: 1e9, symbol: "GB" },
  { factor: 1e12, symbol: "TB" },
];

const COUNTS: readonly [Scale, ...Scale[]] = [
  { factor: 1, symbol: "" },
  { factor: 1e3, symbol: "k" },
  { factor: 1e6, symbol: "M" },
  { factor: 1e9, symbol: "G" },
  { factor: 1e12, symbol: "T" },
];

/** What one of a unit is in the first unit of its family: seconds or bytes. */
const IN_SECONDS: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3600,
  d: 86400,
};
const IN_BYTES: Record<string, number> = {
  By: 1,
  bytes: 1,
  kBy: 1e3,
  MBy: 1e6,
  GBy: 1e9,
  KiBy: 1024,
  MiBy: 1024 ** 2,
  GiBy: 1024 ** 3,
};

/** The scale in which a value of this magnitude reads best. */
export function scaleFor(magnitude: number, unit: string): Scale {
  const { of, per } = splitRate(unit);
  const behind = per === "" ? "" : `/${per}`;
  const seconds = own(IN_SECONDS, of);
  if (seconds !== undefined) return within(SECONDS, magnitude, seconds, behind);
  const bytes = own(IN_BYTES, of);
  if (bytes !== undefined) return within(BYTES, magnitude, bytes, behind);
  if (of === "%") return { factor: 1, symbol: `%${behind}` };
  const name = of === "1" ? "" : of.replace(/[{}]/g, "");
  const count = within(COUNTS, magnitude, 1, "");
  return { factor: count.factor, symbol: [count.symbol, name + behind].filter(Boolean).join(" ") };
}

/** `amount(41.2, "ms", "en")` is "41.2 ms". */
export function amount(value: number | null, unit: string, locale: string): string {
  if (value === null || !Number.isFinite(value)) return "–";
  return inScale(value, scaleFor(value, unit), locale);
}

/** A value in a scale chosen before, as the ticks of an axis need it. */
export function inScale(value: number, scale: Scale, locale: string): string {
  const number = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3, useGrouping: true });
  const written = number.format(value / scale.factor);
  const symbol = locale === "ja" ? scale.symbol.replace(/[a-z]+/g, inJapanese) : scale.symbol;
  return symbol === "" ? written : `${written}\u202f${symbol}`;
}

/** What the page itself counts; units that telemetry names are left as they are. */
const JAPANESE: Readonly<Record<string, string>> = {
  requests: "件",
  lines: "行",
  calls: "回",
  cores: "コア",
  core: "コア",
};
const inJapanese = (word: string): string => own(JAPANESE, word) ?? word;

/** A unit as people write it: `B` for `By`, `orders/s` is `order/s`, nothing for a plain number. */
export function unitName(unit: string): string {
  const { of, per } = splitRate(unit);
  const bytes = of.replace(/^([kMGT]i?|)By$/, (_, prefix: string) => `${prefix}B`);
  const name = of === "1" ? "" : bytes.replace(/[{}]/g, "");
  return name + (per === "" ? "" : `/${per}`);
}

/** A whole number with the language's grouping. */
export function count(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

function within(scales: readonly [Scale, ...Scale[]], magnitude: number, one: number, behind: string): Scale {
  const size = Math.abs(magnitude) * one || one;
  // Rounding to three digits may carry over: 999.6 ms is better "1 s" than "1,000 ms".
  const best = scales.filter((scale) => size * 1.0005 >= scale.factor).at(-1) ?? scales[0];
  return { factor: best.factor / one, symbol: best.symbol + behind };
}

function splitRate(unit: string): { of: string; per: string } {
  const rate = /^(.*)\/(s|min|h)$/.exec(unit);
  return rate === null ? { of: unit || "1", per: "" } : { of: rate[1] || "1", per: rate[2] ?? "" };
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
