const HOLE = /\{(\w+)\}/;
const WIDE = "\\u3000-\\u30ff\\u4e00-\\u9fff\\uff00-\\uffef";
const BEGINS_WIDE = new RegExp(`^[${WIDE}]`);
const ENDS_WIDE = new RegExp(`[${WIDE}]$`);
const IS_WIDE = new RegExp(`[${WIDE}]`);

/**
 * A template with its values. Japanese stands beside Latin letters with a space between and beside Japanese without:
 * a space that the template has for a value in the one is left out for one in the other.
 */
export function filled(template: string, value: (name: string, hole: string) => string): string {
  const parts = template.split(HOLE);
  const wide = parts.some((part, at) => at % 2 === 0 && IS_WIDE.test(part));
  const texts = parts.map((part, at) => (at % 2 === 1 ? value(part, `{${part}}`) : part));
  if (!wide) return texts.join("");
  return texts
    .map((text, at) => {
      if (at % 2 === 1) return text;
      const after = ENDS_WIDE.test(texts[at - 1] ?? "") ? text.trimStart() : text;
      return BEGINS_WIDE.test(texts[at + 1] ?? "") ? after.trimEnd() : after;
    })
    .join("");
}
