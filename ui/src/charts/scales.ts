/** Steps that read well in a scale whose one is `factor`. */
export function roundSteps(factor: number): number[] {
  const powers = Array.from({ length: 25 }, (_, index) => 10 ** (index - 12));
  return powers.flatMap((power) => [1, 2, 5].map((digit) => digit * power * factor));
}

/** From zero when that costs little room, so that sizes can be compared by eye. */
export function roomFor(low: number, high: number): [number, number] {
  const bottom = low >= 0 && low < high * 0.75 ? 0 : low;
  const room = (high - bottom || Math.abs(high) || 1) * 0.08;
  return [bottom === 0 ? 0 : bottom - room, high + room];
}
