import { describe, expect, it } from "vitest";
import { arrowsOf, lengthOf, type Run, readRunLine, stateOf, type Task } from "./model";
import { boardOf, type Environment, nextOf } from "./promoting";
import { discussion, furtherReasons, obstacles, type PullWhole } from "./pulling";

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

describe("a pull request", () => {
  const pull = (more: Partial<PullWhole>): PullWhole =>
    ({
      state: "open",
      draft: false,
      mergeable: true,
      statuses: [],
      reviews: [],
      comments: [],
      ...more,
    }) as PullWhole;
  const review = (author: string, state: string, at: string) => ({ author, state, at, body: "" });

  it("says what stands against its merge", () => {
    const statuses = [
      { state: "success", context: "ci/test", description: "", url: "", at: "" },
      { state: "failure", context: "ci/lint", description: "2 findings", url: "", at: "" },
    ];
    const reviews = [
      review("ann", "changes_requested", "1"),
      review("bob", "changes_requested", "2"),
      review("ann", "approved", "3"),
      review("bob", "commented", "4"),
    ];
    const found = obstacles(pull({ draft: true, mergeable: false, statuses, reviews }));
    expect(found.map(({ kind }) => kind)).toEqual(["draft", "conflict", "check", "changes"]);
    expect(found[3]).toEqual({ kind: "changes", by: "bob" });
    expect(obstacles(pull({ state: "merged", draft: true }))).toEqual([]);
    const reasons = ["ci/lint is failure", "it conflicts with main", "it needs the label lgtm"];
    expect(furtherReasons(reasons, found)).toEqual(["it needs the label lgtm"]);
  });

  it("tells its discussion in the order in which it was said", () => {
    const said = discussion(
      pull({ comments: [review("b", "", "2")], reviews: [review("a", "approved", "1")] }),
    );
    expect(said.map(({ author }) => author)).toEqual(["a", "b"]);
  });
});

describe("environments", () => {
  const environment = (name: string, strategy: string, services: string[]) =>
    ({
      name,
      strategy,
      services: services.map((service) => ({ service, declared: `of ${name}`, promotion: null })),
    }) as unknown as Environment;
  const path = [
    environment("lab", "Never", ["cart"]),
    environment("staging", "Auto", ["cart", "checkout"]),
    environment("production", "Manual", ["checkout"]),
    environment("archive", "Never", ["checkout"]),
  ];

  it("stand side by side for every service", () => {
    expect(boardOf(path).map((row) => [row.service, row.standings.map((one) => one !== null)])).toEqual([
      ["cart", [true, true, false, false]],
      ["checkout", [false, true, true, true]],
    ]);
  });

  it("lead on to the next that has the service and takes versions", () => {
    expect(nextOf(path, 0, "cart")).toBe("staging");
    expect(nextOf(path, 1, "checkout")).toBe("production");
    expect(nextOf(path, 1, "cart")).toBeNull();
    expect(nextOf(path, 2, "checkout")).toBeNull();
  });

  it("lead nowhere that has the version already, or is on its way to it", () => {
    const same = (change: object) =>
      path.map((one) => ({
        ...one,
        services: one.services.map((known) => ({
          ...known,
          ...(one.name === "production" ? change : {}),
        })),
      })) as Environment[];
    expect(nextOf(same({ declared: "of staging" }), 1, "checkout")).toBeNull();
    const coming = { version: "of staging", state: "rolling_out" };
    expect(nextOf(same({ promotion: coming }), 1, "checkout")).toBeNull();
    expect(nextOf(same({ promotion: { ...coming, state: "rolled_back" } }), 1, "checkout")).toBe(
      "production",
    );
  });
});
