"""PipelineRuns: order, results, when, matrix, finally, errors, propagation."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pilothouse.delivery.pipelines import Catalog, Engine, Options, ProcessLauncher, choose, events, read_text, to_run
from pilothouse.delivery.pipelines.tasks import memory
from tests.delivery.pipelines.running import pipeline, run_yaml


def step(script: str, rest: str = "") -> str:
    """A task with one step, as flow YAML."""
    return f"{{{rest + ', ' if rest else ''}steps: [{{image: bash, script: '{script}'}}]}}"


def test_results_make_the_order(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: last, taskSpec: {step("echo $(params.x)", "params: [{name: x}]")}, params: [{{name: x, value: "$(tasks.first.results.r)!"}}]}}
- {{name: first, taskSpec: {step("printf 42 > $(results.r.path)", "results: [{name: r}]")}}}
- {{name: after, runAfter: [last], taskSpec: {step("echo after")}}}
""",
            "results: [{name: out, value: $(tasks.first.results.r)-x}]",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded"
    assert happened.message == "Tasks Completed: 3 (Failed: 0, Cancelled 0), Skipped: 0"
    assert happened.order() == ["first", "last", "after"]
    assert happened.output("last") == "42!\n"
    assert happened.results == {"out": "42-x"}
    assert [one["name"] for one in happened.run.status["childReferences"]] == ["run-first", "run-last", "run-after"]


def test_when_skips_without_skipping_what_only_waits(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: skipped, when: [{{input: a, operator: in, values: [b]}}], taskSpec: {step("printf x > $(results.r.path)", "results: [{name: r}]")}}}
- {{name: waits, runAfter: [skipped], taskSpec: {step("echo ran")}}}
- {{name: needs, taskSpec: {step("echo $(params.x)", "params: [{name: x}]")}, params: [{{name: x, value: $(tasks.skipped.results.r)}}]}}
- {{name: further, runAfter: [needs], taskSpec: {step("echo no")}}}
"""
        ),
        tmp_path,
    )
    assert happened.reason == "Completed"
    assert happened.skipped() == {
        "skipped": "When Expressions evaluated to false",
        "needs": "Results were missing",
        "further": "Parent Tasks were skipped",
    }
    assert happened.order() == ["waits"]


def test_failure_stops_the_rest_and_runs_finally(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: good, taskSpec: {step("printf x > $(results.r.path)", "results: [{name: r}]")}}}
- {{name: bad, runAfter: [good], taskSpec: {step("exit 1")}}}
- {{name: never, runAfter: [bad], taskSpec: {step("echo no")}}}
""",
            f"""
finally:
- {{name: report, params: [{{name: s, value: "$(tasks.status) $(tasks.good.status) $(tasks.bad.status) $(tasks.never.status) $(tasks.bad.reason)"}}], taskSpec: {step("echo $(params.s) $(tasks.good.results.r)", "params: [{name: s}]")}}}
- {{name: unmet, params: [{{name: s, value: $(tasks.never.results.r)}}], taskSpec: {step("echo no", "params: [{name: s}]")}}}
""",
        ),
        tmp_path,
    )
    assert happened.reason == "Failed"
    assert happened.message == "Tasks Completed: 3 (Failed: 1, Cancelled 0), Skipped: 2"
    assert happened.output("report") == "Failed Succeeded Failed None Failed x\n"
    assert happened.skipped() == {"never": "PipelineRun was stopping", "unmet": "Results were missing"}
    assert "finallyStartTime" in happened.run.status


def test_on_error_continue_goes_on(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: bad, onError: continue, taskSpec: {step("printf kept > $(results.r.path); exit 1", "results: [{name: r}, {name: none}]")}}}
- {{name: next, runAfter: [bad], taskSpec: {step("echo next")}}}
- {{name: misses, params: [{{name: x, value: $(tasks.bad.results.none)}}], taskSpec: {step("echo no", "params: [{name: x}]")}}}
"""
        ),
        tmp_path,
    )
    assert happened.reason == "Completed"
    assert happened.task("bad").condition.reason == "FailureIgnored"
    assert "(Failed: 1 (Ignored: 1), Cancelled 0)" in happened.message
    assert happened.skipped() == {"misses": "Results were missing"}


def test_unwritten_result_fails_its_consumer(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: a, taskSpec: {step("exit 0", "results: [{name: r}]")}}}
- {{name: b, params: [{{name: x, value: $(tasks.a.results.r)}}], taskSpec: {step("echo no", "params: [{name: x}]")}}}
"""
        ),
        tmp_path,
    )
    assert happened.reason == "InvalidTaskResultReference"


def test_matrix_fans_out_and_in(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- name: m
  matrix:
    params: [{{name: os, value: [linux, mac]}}, {{name: browser, value: [chrome, safari]}}]
    include: [{{name: special, params: [{{name: os, value: linux}}, {{name: browser, value: chrome}}, {{name: extra, value: e}}]}}]
  params: [{{name: fixed, value: f}}]
  taskSpec: {step('printf "$(params.os)-$(params.browser)-$(params.extra)" | tee $(results.r.path)', "params: [{name: os}, {name: browser}, {name: extra, default: none}, {name: fixed}], results: [{name: r}]")}
- name: in
  params: [{{name: all, value: "$(tasks.m.results.r[*])"}}, {{name: n, value: $(tasks.m.matrix.length)}}]
  taskSpec: {{params: [{{name: all, type: array}}, {{name: n}}], steps: [{{image: bash, command: [echo], args: ["$(params.n)", "$(params.all[*])"]}}]}}
- {{name: empty, matrix: {{params: [{{name: os, value: []}}]}}, taskSpec: {step("echo no", "params: [{name: os}]")}}}
"""
        ),
        tmp_path,
    )
    assert happened.output("in") == "4 linux-chrome-e mac-chrome-none linux-safari-none mac-safari-none\n"
    assert [one.name for one in happened.run.children["m"]] == ["run-m-0", "run-m-1", "run-m-2", "run-m-3"]  # type: ignore[union-attr]
    assert happened.run.status["childReferences"][0]["displayName"] == "special"
    assert happened.skipped() == {"empty": "Matrix Parameters have an empty array"}


def test_parameters_and_workspaces_flow_into_embedded_tasks(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            """
- name: a
  taskSpec:
    params: [{name: GREETING, default: default greeting}]
    steps: [{image: bash, script: 'echo "$(params.GREETING) $(params.MAP.k) $(params.LIST[1])" > $(workspaces.shared.path)/f'}]
- name: b
  runAfter: [a]
  params: [{name: GREETING, value: inner}]
  taskSpec:
    params: [{name: GREETING}]
    steps: [{image: bash, script: 'cat $(workspaces.shared.path)/f; echo $(params.GREETING) $(context.pipelineRun.name) $(tasks.a.results.none)'}]
""".replace(" $(tasks.a.results.none)", ""),
            "params: [{name: MAP, type: object, properties: {k: {}}, default: {k: v}}]",
            "params: [{name: GREETING, value: hello}, {name: LIST, value: [x, y]}]\nworkspaces: [{name: shared, volumeClaimTemplate: {spec: {}}}]",
        ),
        tmp_path,
    )
    assert happened.reason == "Succeeded", happened.message
    assert happened.output("b") == "hello v y\ninner run\n"
    memory.settle()
    assert not list((tmp_path / "scratch").iterdir())


def test_pipelines_in_pipelines_hand_back_results(tmp_path: Path) -> None:
    text = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: child}
spec:
  params: [{name: who}]
  workspaces: [{name: w}]
  results: [{name: said, value: $(tasks.say.results.r)}]
  tasks:
  - name: say
    params: [{name: who, value: $(params.who)}]
    workspaces: [{name: w}]
    taskSpec:
      params: [{name: who}]
      workspaces: [{name: w}]
      results: [{name: r}]
      steps: [{image: bash, script: 'ls $(workspaces.w.path); printf "hi $(params.who)" > $(results.r.path)'}]
---
""" + pipeline(
        f"""
- {{name: inner, pipelineRef: {{name: child}}, params: [{{name: who, value: you}}], workspaces: [{{name: w, workspace: src}}]}}
- {{name: use, params: [{{name: x, value: $(tasks.inner.results.said)}}], taskSpec: {step("echo $(params.x)", "params: [{name: x}]")}}}
""",
        "workspaces: [{name: src}]",
        "workspaces: [{name: src, emptyDir: {}}]",
    )
    happened = run_yaml(text, tmp_path)
    assert happened.reason == "Succeeded", happened.message
    assert happened.output("use") == "hi you\n"
    assert happened.run.status["childReferences"][0]["kind"] == "PipelineRun"


def test_timeouts_of_tasks_leave_time_for_finally(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"""
- {{name: slow, taskSpec: {step("sleep 30")}}}
- {{name: later, runAfter: [slow], taskSpec: {step("echo no")}}}
""",
            f"finally: [{{name: clean, taskSpec: {step('echo clean')}}}]",
            "timeouts: {pipeline: 10s, tasks: 500ms}",
        ),
        tmp_path,
    )
    assert happened.reason == "Failed"
    assert happened.output("clean") == "clean\n"
    assert happened.skipped() == {"later": "PipelineRun Tasks timeout has been reached"}
    # What is left of the tasks' time is also the task's own timeout: either may be noticed first.
    assert happened.task("slow").condition.reason in ("TaskRunCancelled", "TaskRunTimeout")


def test_pipeline_timeout_ends_everything(tmp_path: Path) -> None:
    happened = run_yaml(
        pipeline(
            f"- {{name: slow, taskSpec: {step('sleep 30')}}}",
            f"finally: [{{name: clean, taskSpec: {step('echo clean')}}}]",
            "timeouts: {pipeline: 400ms}",
        ),
        tmp_path,
    )
    assert (happened.reason, happened.message) == (
        "PipelineRunTimeout",
        'PipelineRun "run" failed to finish within "400ms"',
    )
    assert happened.output() == ""


def _asked(tmp_path: Path, how: str) -> tuple[object, list[str]]:
    text = pipeline(
        f"""
- {{name: slow, taskSpec: {step("sleep 0.7; echo done")}}}
- {{name: later, runAfter: [slow], taskSpec: {step("echo no")}}}
""",
        f"finally: [{{name: clean, taskSpec: {step('echo clean')}}}]",
    )

    async def go() -> tuple[object, list[str]]:
        documents = read_text(text)
        seen: list[str] = []
        run = to_run(choose(documents)[0])

        def listen(event: events.Event) -> None:
            if isinstance(event, events.StepStarted) and event.task == "slow":
                engine.cancel(run.uid, how)
            if isinstance(event, events.StepOutput):
                seen.append(event.data.decode())

        engine = Engine(Catalog(documents), Options(tmp_path, ProcessLauncher(), listen, grace=0.5))
        await engine.run(run)
        return run, seen

    return asyncio.run(go())


def test_cancel_ends_all(tmp_path: Path) -> None:
    run, seen = _asked(tmp_path, "Cancelled")
    assert run.condition.reason == "Cancelled"  # type: ignore[attr-defined]
    assert seen == []


def test_cancel_run_finally(tmp_path: Path) -> None:
    run, seen = _asked(tmp_path, "CancelledRunFinally")
    assert run.condition.reason == "Cancelled"  # type: ignore[attr-defined]
    assert seen == ["clean\n"]
    assert run.status["skippedTasks"] == [{"name": "later", "reason": "PipelineRun was gracefully cancelled"}]  # type: ignore[attr-defined]


def test_stop_run_finally_lets_running_tasks_end(tmp_path: Path) -> None:
    run, seen = _asked(tmp_path, "StoppedRunFinally")
    assert run.condition.reason == "Cancelled"  # type: ignore[attr-defined]
    assert seen == ["done\n", "clean\n"]


def test_a_task_that_is_not_there(tmp_path: Path) -> None:
    happened = run_yaml(pipeline("- {name: a, taskRef: {name: nowhere}}"), tmp_path)
    assert happened.reason == "CouldntGetTask"
    assert "'nowhere' is in none of the files" in happened.message


def test_long_names_are_hashed_as_on_a_cluster() -> None:
    from pilothouse.delivery.pipelines import naming

    name = naming.child("pipeline-run-0123456789-0123456789-0123456789-0123456789", "-task2-0123456789")
    assert len(name) <= 63
    assert name.endswith("-task2-0123456789")
