import { describe, expect, it } from "vitest";
import { readProse } from "./prose";

describe("prose", () => {
  it("has paragraphs and lists", () => {
    expect(
      readProse("one\ntwo\n\n\nthree\n- a\n- b\nfour").map(({ kind, lines }) => [kind, lines.length]),
    ).toEqual([
      ["paragraph", 2],
      ["paragraph", 1],
      ["list", 2],
      ["paragraph", 1],
    ]);
  });

  it("knows what is strong, what is code, and which code is a page of ours", () => {
    expect(readProse("a **Verdict** of `x` at `/releases/checkout/1.1.0?baseline=1.0.0`.")).toEqual([
      {
        kind: "paragraph",
        lines: [
          [
            { text: "a " },
            { text: "Verdict", as: "strong" },
            { text: " of " },
            { text: "x", as: "code" },
            { text: " at " },
            {
              text: "/releases/checkout/1.1.0?baseline=1.0.0",
              as: "code",
              to: "/releases/checkout/1.1.0?baseline=1.0.0",
            },
            { text: "." },
          ],
        ],
      },
    ]);
  });

  it("knows links of the web", () => {
    expect(readProse("or [the page](http://127.0.0.1:4000/releases/a/1?b=2) of it")[0]?.lines[0]).toEqual([
      { text: "or " },
      { text: "the page", as: "link", to: "http://127.0.0.1:4000/releases/a/1?b=2" },
      { text: " of it" },
    ]);
  });

  it.each(["<b>not</b> HTML", "2 * 3 ** 4", "`open", "[a](javascript:alert(1))"])(
    "leaves %s as it is",
    (text) => {
      expect(readProse(text)).toEqual([{ kind: "paragraph", lines: [[{ text }]] }]);
    },
  );

  it.each(["//evil.example/x", "/approve", "/releases.evil"])(
    "does not take %s for a page of ours",
    (text) => {
      expect(readProse(`\`${text}\``)[0]?.lines[0]).toEqual([{ text, as: "code" }]);
    },
  );
});
