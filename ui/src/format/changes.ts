/** Relative changes (0.35 is +35 %) and how sure we are, as text. */

const MINUS = "\u2212";
const THIN = "\u202f";

/** "+35 %", "−8 %", nothing to speak of as "±0 %"; from double on as a factor, "×4.5". */
export function change(relative: number | null, locale: string): string {
  if (relative === null || !Number.isFinite(relative)) return "–";
  if (relative >= 1) return `×${digits(relative + 1, 2, locale)}`;
  const percent = Math.abs(relative) * 100;
  const size = digits(percent, percent < 10 ? 2 : 3, locale);
  if (size === "0") return `±0${THIN}%`;
  return `${relative < 0 ? MINUS : "+"}${size}${THIN}%`;
}

/** The interval of a change; an end that is not known leaves "at least" or "at most". */
export function interval(ends: readonly [number | null, number | null], locale: string): string {
  const [low, high] = ends;
  if (low === null && high === null) return "–";
  if (high === null) return `≥\u202f${change(low, locale)}`;
  if (low === null) return `≤\u202f${change(high, locale)}`;
  return `${change(low, locale)} … ${change(high, locale)}`;
}

/** How small a change would have been noticed: 0.06 is "6 %", 2.5 is "×3.5"; beyond a hundredfold, nothing is. */
export function smallestEffect(effect: number | null, locale: string): string {
  if (effect === null || !Number.isFinite(effect)) return "–";
  if (effect > 99) return ">×100";
  return effect < 1 ? share(effect, locale) : change(effect, locale);
}

/** A fraction as a share: 0.06 is "6 %". */
export function share(fraction: number, locale: string): string {
  const percent = fraction * 100;
  if (percent > 0 && percent < 0.1) return `<${digits(0.1, 1, locale)}${THIN}%`;
  return `${digits(percent, percent < 10 ? 2 : 3, locale)}${THIN}%`;
}

/** Confidence never reads as certainty: 0.9999 is ">99.9 %". */
export function confidence(fraction: number, locale: string): string {
  if (fraction > 0.999) return `>${digits(99.9, 3, locale)}${THIN}%`;
  return share(fraction, locale);
}

function digits(value: number, significant: number, locale: string): string {
  const rounded = Math.abs(value) < 0.005 ? 0 : value;
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: significant }).format(rounded);
}
