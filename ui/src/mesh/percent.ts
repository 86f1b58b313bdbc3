/** A percentage that is one already: `percent(50.5, "en")` is "50.5 %". */
export function percent(value: number, locale: string): string {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)}\u202f%`;
}
