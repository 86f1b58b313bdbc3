import { filled } from "./holes";

/** English patterns with `{holes}` and what they are in another language, with the same holes. */
export type Patterns = Readonly<Record<string, string>>;

/** What a text is in another language, or undefined where no pattern is like it. */
export type Interpreter = (text: string) => string | undefined;

const HOLE = /\{(\w+)\}/g;
// A sentence within a sentence within a sentence is the most that is said.
const DEEPEST = 3;

/**
 * Texts that are kept or sent without their parts are known by their pattern: the one with the most text of its own
 * that fits. What stands in a hole may be such a text too.
 */
export function interpreter(patterns: Patterns): Interpreter {
  const known = Object.entries(patterns)
    .map(([english, other]) => ({ ...shapeOf(english), other }))
    .sort((a, b) => b.own - a.own);
  const tell = (text: string, depth: number): string | undefined => {
    for (const { names, shape, other } of known) {
      const found = shape.exec(text);
      if (found === null) continue;
      const held = new Map(names.map((name, at) => [name, found[at + 1] ?? ""]));
      return filled(other, (name, hole) => {
        const value = held.get(name) ?? hole;
        return (depth < DEEPEST ? tell(value, depth + 1) : undefined) ?? value;
      });
    }
    return undefined;
  };
  return (text) => tell(text, 1);
}

function shapeOf(english: string): { names: string[]; shape: RegExp; own: number } {
  const names = [...english.matchAll(HOLE)].map((found) => found[1] ?? "");
  const texts = english.split(/\{\w+\}/);
  const shape = new RegExp(
    `^${texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("(.+?)")}$`,
    "s",
  );
  return { names, shape, own: texts.join("").length };
}
