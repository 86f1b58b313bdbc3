/** A selector: who is asked about, the same in all four signals: `service_name="checkout",env=~"prod|staging"`. */

export interface Matcher {
  label: string;
  operator: "=" | "!=" | "=~" | "!~";
  value: string;
}

const MATCHER = /\s*([A-Za-z_][\w.:]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*(,|$)/y;

/** The matchers of a selector, or null when it is not well formed (the server then says why). */
export function parseSelector(text: string): Matcher[] | null {
  const inside = text.trim().replace(/^\{|\}$/g, "");
  const found: Matcher[] = [];
  let at = 0;
  while (at < inside.length) {
    MATCHER.lastIndex = at;
    const match = MATCHER.exec(inside);
    if (match === null) return null;
    const value = unquoted(match[3] ?? "");
    if (value === null) return null;
    found.push({ label: match[1] ?? "", operator: match[2] as Matcher["operator"], value });
    at = MATCHER.lastIndex;
  }
  return found;
}

export function formatSelector(matchers: readonly Matcher[]): string {
  return matchers.map(({ label, operator, value }) => `${label}${operator}${quoted(value)}`).join(",");
}

/** The value that a label must equal, or null. Dots and underscores are the same. */
export function valueIn(text: string, label: string): string | null {
  const same = (parseSelector(text) ?? []).find((one) => one.operator === "=" && normal(one.label) === label);
  return same?.value ?? null;
}

/** The selector with one label set to a value, or without it. A selector that is not well formed is replaced. */
export function withValue(text: string, label: string, value: string | null): string {
  const others = (parseSelector(text) ?? []).filter((one) => normal(one.label) !== label);
  const matcher: Matcher[] = value === null ? [] : [{ label, operator: "=", value }];
  const at = label === "service_name" ? 0 : others.length;
  return formatSelector(others.toSpliced(at, 0, ...matcher));
}

/** One more matcher, unless it is there. */
export function adding(text: string, matcher: Matcher): string {
  const known = parseSelector(text) ?? [];
  const [one] = [formatSelector([matcher])];
  return known.some((other) => formatSelector([other]) === one) ? text : formatSelector([...known, matcher]);
}

/** A Go string in double quotes, as PromQL, LogQL and TraceQL have it. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function unquoted(text: string): string | null {
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

export function normal(label: string): string {
  return label.replaceAll(".", "_");
}
