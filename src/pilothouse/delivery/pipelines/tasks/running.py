"""A TaskRun from start to end: attempts, timeout, sidecars, steps, results, status."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from pilothouse.delivery.pipelines import durations, events, times, tracing
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.errors import ResolveError, RunError
from pilothouse.delivery.pipelines.tasks import credentials, memory, results
from pilothouse.delivery.pipelines.tasks.control import Control
from pilothouse.delivery.pipelines.tasks.launches import Launches
from pilothouse.delivery.pipelines.tasks.layout import Layout
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.tasks.preparing import Prepared, prepare
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.setting import Setting
from pilothouse.delivery.pipelines.tasks.sidecars import Sidecars
from pilothouse.delivery.pipelines.tasks.steps import StepRunner, StepState, artifacts
from pilothouse.delivery.pipelines.volumes import Volumes, claim_prefix

_SUCCEEDED = "All Steps have completed executing"


async def run_task(run: TaskRun, setting: Setting, control: Control) -> None:
    """Run all attempts of a TaskRun; `run.status` is then final. Raises nothing that a task can cause."""
    retries = int(run.spec.get("retries") or 0)
    run.started = run.started or times.now()
    span = tracing.new_span()
    while True:
        _tell(run, setting, events.TaskStarted, attempt=run.attempt)
        await _attempt(run, setting, Control(control), span)
        condition = run.condition
        # Tekton tries again after a failure and after a timeout, never after a cancellation.
        if condition.succeeded or run.attempt >= retries or control.asked or condition.reason in _FINAL:
            break
        to_be_retried(run)
    run.finished = times.now()
    _tell(run, setting, events.TaskFinished, status=run.status, started=run.started, span=span)


# What another attempt would not change.
_FINAL = (
    "TaskRunValidationFailed",
    "InvalidParamValue",
    "TaskRunImagePullFailed",
    "TaskRunCancelled",
    "TaskRunResolutionFailed",
)


def to_be_retried(run: TaskRun) -> None:
    """Put the attempt that ended among the past ones."""
    past = run.status.pop("retriesStatus", [])
    past.append({key: value for key, value in run.status.items() if key != "taskSpec"})
    run.attempt += 1
    start = run.status.get("startTime")
    run.status = {"retriesStatus": past, "startTime": start}
    run.status["conditions"] = [Condition("Unknown", "ToBeRetried", past[-1]["conditions"][0]["message"]).to_json()]


async def _attempt(run: TaskRun, setting: Setting, control: Control, span: str) -> None:
    started = times.now()
    run.status.setdefault("startTime", times.written(started))
    run.status["podName"] = ""
    condition: Condition
    try:
        prepared = await prepare(run, setting.catalog, setting.action)
        run.status["taskSpec"] = prepared.spec
        condition = await _prepared(run, prepared, setting, control, span)
    except (RunError, ResolveError) as error:
        condition = Condition("False", error.reason, setting.masker.mask_text(str(error)))
    except OSError as error:
        condition = Condition(
            "False", "Failed", f"this machine: {error.strerror or error}: {error.filename or ''}".rstrip(": ")
        )
    run.status["completionTime"] = times.written(times.now())
    run.status["conditions"] = [condition.to_json()]
    run.status["provenance"] = {
        "featureFlags": {"enableAPIFields": "alpha"},
        **({"refSource": run.source} if run.source else {}),
    }


async def _prepared(run: TaskRun, prepared: Prepared, setting: Setting, control: Control, span: str) -> Condition:
    # An attempt has directories of its own: those of the one before are still being removed when it begins.
    own = f"{run.uid}-{run.attempt}" if run.attempt else run.uid
    scratch = setting.scratch(own)
    secrets = credentials.secrets_of(str(run.spec.get("serviceAccountName") or "default"), setting.catalog)
    needs = (*setting.launcher.needs, "home") if secrets else setting.launcher.needs
    layout = Layout(memory.directory() / own, scratch, prepared.spec, needs)
    layout.make()
    if secrets:
        credentials.write(secrets, layout.home, setting.catalog)
    shared = setting.scratch(run.pipeline_run_uid) if run.pipeline_run_uid else scratch
    volumes = Volumes(
        layout.volumes,
        shared / "shared",
        setting.claims,
        setting.catalog,
        run.metadata(),
        claim_prefix(run.pipeline_run_uid or run.uid),
    )
    launches = Launches(run, prepared, layout, volumes, setting.catalog, setting.launcher, setting.directory)
    runner = StepRunner(run, prepared, layout, launches, setting, control, span)
    if secrets:
        runner.more["HOME"] = "/tekton/home"
    sidecars = Sidecars(prepared.spec.get("sidecars") or [], launches, setting, setting.logs(run), run.uid)
    states: list[StepState] = []
    limit = asyncio.ensure_future(_expire(run, control))
    try:
        await sidecars.start()
        failure = await _steps(prepared, runner, states, control)
        if failure is None:
            run.status["results"] = results.read(
                layout.results, prepared.spec.get("results") or [], runner.values, strict=setting.strict
            )
        return failure or Condition("True", "Succeeded", _SUCCEEDED)
    finally:
        limit.cancel()
        stopped = await sidecars.stop()
        _status(run, prepared, states, stopped, layout, setting, runner)
        if not setting.keep:
            layout.remove_later()


async def _steps(prepared: Prepared, runner: StepRunner, states: list[StepState], control: Control) -> Condition | None:
    """Run the steps in order; the condition of the TaskRun where one of them ended it."""
    for index, step in enumerate(prepared.steps):
        if control.asked:
            return Condition("False", control.reason, control.message)
        state = await runner.run(index, step)
        states.append(state)
        if control.asked:
            return Condition("False", control.reason, control.message)
        if not state.code:
            continue
        if state.why == "TimeoutExceeded":
            return Condition(
                "False", "Failed", f'"step-{state.name}" exited because the step exceeded the specified timeout limit'
            )
        if step.get("onError") == "continue":
            state.why = "Continued"
            continue
        hint = f" ({state.message})" if state.message else ""
        return Condition("False", "Failed", f'"step-{state.name}" exited with code {state.code}{hint}')
    return None


def _status(
    run: TaskRun, prepared: Prepared, states: list[StepState], sidecars: list[dict[str, Any]], layout: Layout,
    setting: Setting, runner: StepRunner,
) -> None:  # fmt: skip
    now = times.now()
    for index, step in enumerate(prepared.steps[len(states) :], len(states)):
        states.append(
            StepState(step_name(step, index), code=1, reason="Error", why="Skipped", started=now, finished=now)
        )
    run.status["steps"] = [state.to_json() for state in states]
    if sidecars:
        run.status["sidecars"] = sidecars
    run.annotations["pilothouse.dev/executor"] = setting.launcher.name
    if runner.problems:
        run.annotations["pilothouse.dev/notes"] = "; ".join(runner.problems)
    found = artifacts(layout.artifacts)
    for state in states:
        for name in ("inputs", "outputs"):
            found.setdefault(name, []).extend(getattr(state, name))
    if any(found.values()):
        run.status["artifacts"] = {name: entries for name, entries in found.items() if entries}


async def _expire(run: TaskRun, control: Control) -> None:
    if run.timeout <= 0:
        return
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(run.timeout)
        control.stop(
            "TaskRunTimeout", f'TaskRun "{run.name}" failed to finish within "{durations.written(run.timeout)}"'
        )


def _tell(run: TaskRun, setting: Setting, kind: Any, **fields: Any) -> None:
    setting.listener(
        kind(run.pipeline_run or run.name, times.now(), task=run.pipeline_task or run.name, task_run=run.name, **fields)
    )
