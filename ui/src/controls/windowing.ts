/** Which rows of a very long list are in sight. All sizes in pixels. */

/** Browsers cannot lay out more than some 17 to 33 million pixels; beyond this, a pixel of scrolling is more than one. */
export const TALLEST = 15_000_000;

export interface InSight {
  first: number;
  last: number;
  /** Where row `first` begins inside the scrolled box. */
  top: number;
  /** How tall the scrolled box is. */
  height: number;
}

export function inSight(count: number, row: number, scrollTop: number, shown: number, spare = 4): InSight {
  const whole = count * row;
  const height = Math.min(whole, TALLEST);
  const [most, mostWhole] = [Math.max(height - shown, 1), Math.max(whole - shown, 0)];
  const at =
    whole <= TALLEST ? Math.min(scrollTop, mostWhole) : (Math.min(scrollTop, most) / most) * mostWhole;
  const first = Math.max(0, Math.floor(at / row) - spare);
  const last = Math.min(count, Math.ceil((at + shown) / row) + spare);
  return { first, last, height, top: Math.max(0, scrollTop - (at - first * row)) };
}

/** Where to scroll so that a row is in sight; null when it is already. */
export function scrollTo(
  index: number,
  count: number,
  row: number,
  scrollTop: number,
  shown: number,
): number | null {
  const whole = count * row;
  const height = Math.min(whole, TALLEST);
  const [most, mostWhole] = [Math.max(height - shown, 1), Math.max(whole - shown, 1)];
  const scale = whole <= TALLEST ? 1 : most / mostWhole;
  const at = scrollTop / scale;
  if (index * row < at) return index * row * scale;
  if ((index + 1) * row > at + shown) return ((index + 1) * row - shown) * scale;
  return null;
}
