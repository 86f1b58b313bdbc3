import { describe, expect, it } from "vitest";
import { interpreter } from "./sayings";

const tell = interpreter({
  "it is {a}": "{a}です",
  "it is open": "オープンです",
  "{b}: but not {a}": "{a}ではない：{b}",
  "path {a}(/.*)?$": "パス {a}(/.*)?$",
  "take {a} now": "今 {a} を取る",
});

describe("what the server says without its parts", () => {
  it("is known by the pattern with the most text of its own", () => {
    expect(tell("it is open")).toBe("オープンです");
    expect(tell("it is late")).toBe("lateです");
  });

  it("may have another such text in a hole, and holes in another order", () => {
    expect(tell("it is open: but not merged")).toBe("mergedではない：オープンです");
  });

  it("has its special characters, and $& in a value means nothing", () => {
    expect(tell("path /a(/.*)?$")).toBe("パス /a(/.*)?$");
    expect(tell("it is $&")).toBe("$&です");
  });

  it("has a space beside Latin letters and none beside Japanese", () => {
    expect(tell("take x now")).toBe("今 x を取る");
    expect(tell("take it is open now")).toBe("今オープンですを取る");
  });

  it("stays unknown where nothing fits", () => {
    expect(tell("that is open")).toBeUndefined();
    expect(tell("it is ")).toBeUndefined();
  });
});
