import { afterEach, describe, expect, it, vi } from "vitest";
import { api, apiPath, get, insideApi } from "./client";
import type { ApiProblem } from "./problem";
import { waitFor } from "./questions";

const answerWith = (body: string, status = 200, headers: Record<string, string> = {}) =>
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => new Response(body, { status, headers })),
  );

afterEach(() => vi.unstubAllGlobals());

const problemOf = (call: Promise<unknown>): Promise<ApiProblem> =>
  call.then(
    () => Promise.reject(new Error("there was no problem")),
    (problem) => problem as ApiProblem,
  );

describe("paths", () => {
  it("leaves out what is not asked and escapes the rest", () => {
    expect(apiPath("/api/compare", { service: "a b&c", baseline: "1", start: null, end: "" })).toBe(
      "/api/compare?service=a+b%26c&baseline=1",
    );
    expect(apiPath("/api/status")).toBe("/api/status");
  });

  it.each([
    ["/api/logs?x=1", true],
    ["https://elsewhere.example/api/logs", false],
    ["//elsewhere.example/api/logs", false],
    ["/api/../secrets", false],
    ["/other", false],
    ["http://[", false],
  ])("%s is ours: %s", (path, ours) => expect(insideApi(path)).toBe(ours));

  it("asks nobody else", async () => {
    answerWith("{}");
    const problem = await problemOf(get("//elsewhere.example/api/x"));
    expect(problem.code).toBe("bad_request");
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("answers", () => {
  it("unwraps the releases", async () => {
    answerWith('{"releases": []}');
    expect(await api.releases()).toEqual([]);
  });

  it("reads an error with its field", async () => {
    answerWith('{"error": {"code": "bad_request", "message": "since: no time", "field": "since"}}', 400);
    const problem = await problemOf(api.status());
    expect(problem).toMatchObject({
      code: "bad_request",
      message: "since: no time",
      field: "since",
      status: 400,
    });
    expect(problem.passing).toBe(false);
  });

  it("reads how long a busy server wants us to wait", async () => {
    answerWith('{"error": {"code": "unavailable", "message": "busy"}}', 503, { "retry-after": "7" });
    const problem = await problemOf(api.status());
    expect(problem.passing).toBe(true);
    expect(waitFor(0, problem)).toBe(7000);
    expect(waitFor(1, new Error())).toBe(2000);
  });

  it.each(["<html>Bad Gateway</html>", "null", '{"error": "text"}', '{"error": {"code": 1}}'])(
    "makes a sentence of an error that is not ours: %s",
    async (body) => {
      answerWith(body, 502);
      expect(await problemOf(api.status())).toMatchObject({
        code: "not_json",
        message: "The server answered with status 502.",
      });
    },
  );

  it("says when an answer is not JSON", async () => {
    answerWith("<!doctype html>");
    expect((await problemOf(api.status())).code).toBe("not_json");
  });

  it("tells an unreachable server from a stopped question", async () => {
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Promise.reject(new TypeError("failed"))),
    );
    expect((await problemOf(api.status())).code).toBe("unreachable");
    const stop = new AbortController();
    stop.abort();
    await expect(api.status(stop.signal)).rejects.toBeInstanceOf(TypeError);
  });
});
