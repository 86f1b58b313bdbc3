import { describe, expect, it } from "vitest";
import { en } from "./en";
import { preferredLanguage } from "./index";
import { ja } from "./ja";

const sources = import.meta.glob("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
const code = Object.entries(sources)
  .filter(([path]) => !path.includes("/words/") && !path.includes(".test."))
  .map(([, text]) => text as string)
  .join("\n");

/** All messages with their names; a function is called with texts that show where its parts go. */
function messages(catalogue: object, path = ""): [string, string][] {
  return Object.entries(catalogue).flatMap(([name, value]): [string, string][] => {
    // What the server says is looked up by what it says: there is nothing to hold against one another here.
    if (["sentences", "measure", "hazards.evidence"].includes(path === "" ? name : `${path}.${name}`))
      return [];
    const here = path === "" ? name : `${path}.${name}`;
    if (typeof value === "function")
      return [[here, (value as (...parts: unknown[]) => string)(2, "PART", "OTHER")]];
    return typeof value === "string" ? [[here, value]] : messages(value as object, here);
  });
}

describe("the catalogues", () => {
  it("have the same names", () => {
    expect(messages(ja).map(([name]) => name)).toEqual(messages(en).map(([name]) => name));
  });

  it("leave nothing empty, and nothing untranslated but names", () => {
    const japanese = messages(ja);
    const same = messages(en).filter(([name, text], at) => text === japanese[at]?.[1] && name !== "name");
    expect(same).toEqual([]);
    expect(japanese.filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  it("have the same parts in a message", () => {
    const parts = (text: string) => ["PART", "OTHER"].filter((part) => text.includes(part));
    const japanese = new Map(messages(ja));
    for (const [name, text] of messages(en))
      expect([name, parts(japanese.get(name) ?? "")]).toEqual([name, parts(text)]);
  });

  it("have no word that the page does not use", () => {
    const unused = Object.keys(en).filter((name) => !new RegExp(`\\b(say|en)\\.${name}\\b`).test(code));
    expect(unused).toEqual([]);
  });

  it("count", () => {
    expect(en.versions(1)).toBe("1 version");
    expect(en.versions(2)).toBe("2 versions");
  });
});

describe("the language", () => {
  it.each([
    [null, ["ja-JP", "en"], "ja"],
    ["en", ["ja-JP"], "en"],
    [null, ["fr-FR", "de"], "en"],
    ["toString", ["ja"], "ja"],
    [null, [], "en"],
  ] as const)("kept %s, browser %j: %s", (kept, browser, language) => {
    expect(preferredLanguage(kept, browser)).toBe(language);
  });
});
