import { describe, expect, it } from "vitest";
import { arrowsOf, lengthOf, type Run, readRunLine, stateOf, type Task } from "./model";

const task = (name: string, after: string[] = [], more: Partial<Task> = {}): Task => ({
  name,
  after,
  finally: false,
  state: "waiting",
  reason: "",
  message: "",
  started: null,
  finished: null,
  runs: [],
  retries: 0,
  steps: [],
  results: [],
  ...more,
});

describe("the graph of a run", () => {
  it("has no arrow that a longer way says already", () => {
    const tasks = [task("fetch"), task("unit", ["fetch"]), task("image", ["fetch", "unit"])];
    expect(arrowsOf(tasks).map(({ from, to }) => `${from}>${to}`)).toEqual(["fetch>unit", "unit>image"]);
  });

  it("leads from every end to what comes last", () => {
    const tasks = [task("a"), task("b", ["a"]), task("c"), task("tell", [], { finally: true })];
    expect(arrowsOf(tasks)).toEqual([
      { from: "a", to: "b", last: false },
      { from: "b", to: "tell", last: true },
      { from: "c", to: "tell", last: true },
    ]);
  });

  it("is drawn of a pipeline of nothing but last tasks", () => {
    expect(arrowsOf([task("tell", [], { finally: true })])).toEqual([]);
  });
});

describe("a run", () => {
  const run = (status: Run["status"], reason: string) => stateOf({ status, reason } as Run);

  it("has the state that its reason says", () => {
    expect(run("True", "Completed")).toBe("succeeded");
    expect(run("False", "Failed")).toBe("failed");
    expect(run("False", "CancelledRunFinally")).toBe("cancelled");
    expect(run("Unknown", "Running")).toBe("running");
    expect(run("Unknown", "PipelineRunPending")).toBe("waiting");
  });

  it("counts a task's time until now while it runs", () => {
    const started = "2026-01-01T00:00:00Z";
    expect(lengthOf(task("a", [], { started }), Date.parse(started) + 3000)).toBe(3);
    expect(lengthOf(task("a", [], { started, finished: "2026-01-01T00:00:02Z" }), 0)).toBe(2);
    expect(lengthOf(task("a"), 0)).toBeNull();
  });
});

describe("a line of a run's log", () => {
  it("says its task and step", () => {
    expect(readRunLine("[unit : test] [1 : 2] ok")).toEqual({
      task: "unit",
      step: "test",
      text: "[1 : 2] ok",
    });
    expect(readRunLine("loose")).toEqual({ task: "", step: "", text: "loose" });
  });
});
