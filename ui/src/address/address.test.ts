import { describe, expect, it } from "vitest";
import { changeReleaseAddress, readReleaseAddress, releasePath } from "./release";
import { changeReleasesAddress, rangeStart, readReleasesAddress } from "./releases";

describe("a release's address", () => {
  it("reads what a link says", () => {
    const search = new URLSearchParams(
      "baseline=1.0.0&start=a&end=b&verdict=7&profile=cpu&view=table&frame=x1&find=hmac",
    );
    expect(readReleaseAddress(search)).toEqual({
      baseline: "1.0.0",
      start: "a",
      end: "b",
      verdict: "7",
      profile: "cpu",
      view: "table",
      frame: "x1",
      find: "hmac",
    });
  });

  it("falls back on nothing for what it does not know", () => {
    expect(readReleaseAddress(new URLSearchParams("view=upside-down&baseline=&verdict=../why"))).toEqual({
      baseline: null,
      start: null,
      end: null,
      verdict: null,
      profile: null,
      view: "graph",
      frame: null,
      find: "",
    });
  });

  it("changes a part and keeps the rest", () => {
    const search = new URLSearchParams("baseline=1.0.0&frame=x&later=kept");
    const next = changeReleaseAddress(search, { view: "table", frame: null, find: "a&b" });
    expect(next.toString()).toBe("baseline=1.0.0&later=kept&view=table&find=a%26b");
    expect(changeReleaseAddress(next, { view: "graph", find: "" }).toString()).toBe(
      "baseline=1.0.0&later=kept",
    );
  });

  it("is made from a release, whatever its names", () => {
    expect(releasePath({ service: "a/b", version: "1+2 3", previous: "0.9&" })).toBe(
      "/releases/a%2Fb/1%2B2%203?baseline=0.9%26",
    );
    expect(releasePath({ service: "a", version: "1" })).toBe("/releases/a/1");
  });

  it("takes the server's link only when it stays here", () => {
    const release = { service: "a", version: "1" };
    expect(releasePath(release, "/releases/a/1?start=x")).toBe("/releases/a/1?start=x");
    expect(releasePath(release, "//elsewhere.example/releases/")).toBe("/releases/a/1");
  });
});

describe("the home page's address", () => {
  it("reads and writes", () => {
    const search = changeReleasesAddress(new URLSearchParams(), {
      find: "che",
      verdict: "worse",
      last: "6h",
    });
    expect(search.toString()).toBe("find=che&verdict=worse&last=6h");
    expect(readReleasesAddress(search)).toEqual({ find: "che", verdict: "worse", last: "6h" });
    expect(changeReleasesAddress(search, { verdict: "all", find: "" }).toString()).toBe("last=6h");
    expect(readReleasesAddress(new URLSearchParams("verdict=x&last=y"))).toEqual({
      find: "",
      verdict: "all",
      last: "all",
    });
  });

  it("knows where a range begins", () => {
    expect(rangeStart("1h", 3_600_000)).toBe(0);
    expect(rangeStart("all", 5)).toBeNull();
  });
});
