/** The labels in which several series differ. */
export function telling(series: readonly Record<string, string>[]): string[] {
  const names = new Set(series.flatMap((labels) => Object.keys(labels)));
  return [...names].filter((name) => new Set(series.map((labels) => labels[name])).size > 1).sort();
}

/** What a series is called among its neighbours: only that in which they differ. */
export function nameOf(labels: Record<string, string>, differing: readonly string[], alone: string): string {
  const parts = differing.flatMap((name) => (labels[name] ? [`${name}=${labels[name]}`] : []));
  if (parts.length > 0) return parts.join(", ");
  const rest = Object.entries(labels).filter(([name]) => name !== "__name__");
  return labels.__name__ ?? (rest.map(([name, value]) => `${name}=${value}`).join(", ") || alone);
}

/** Prometheus writes numbers as text, also "NaN" and "+Inf", which cannot be drawn. */
export function numberOf(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
