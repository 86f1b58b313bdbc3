"""The status of a PipelineRun, in Tekton's form and words. Source: `pipelinerunstate.go`."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import parameters, times
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.graph import result_refs
from pilothouse.delivery.pipelines.runs.knowing import Knowledge
from pilothouse.delivery.pipelines.runs.request import CustomRun, PipelineRun
from pilothouse.delivery.pipelines.runs.scheduling import Schedule, State
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.variables import references, replace, texts

_KINDS = {
    TaskRun: ("tekton.dev/v1", "TaskRun"),
    PipelineRun: ("tekton.dev/v1", "PipelineRun"),
    CustomRun: ("tekton.dev/v1beta1", "CustomRun"),
}


def summary(schedule: Schedule) -> str:
    """`Tasks Completed: 3 (Failed: 1, Cancelled 0), Skipped: 2`."""
    counts = schedule.counts()
    ignored = counts[State.IGNORED]
    failed = counts[State.FAILED] + ignored
    done = counts[State.SUCCEEDED] + failed + counts[State.CANCELLED]
    note = f" (Ignored: {ignored})" if ignored else ""
    cancelled, skipped = counts[State.CANCELLED], counts[State.SKIPPED]
    return f"Tasks Completed: {done} (Failed: {failed}{note}, Cancelled {cancelled}), Skipped: {skipped}"


def final(schedule: Schedule, *, stopped: bool) -> Condition:
    """The condition of a run whose tasks are all over; `stopped` after a graceful stop or cancellation."""
    counts, message = schedule.counts(), summary(schedule)
    if counts[State.FAILED] or schedule.timed_out():
        return Condition("False", "Failed", message)
    if stopped or counts[State.CANCELLED]:
        return Condition("False", "Cancelled", message)
    if counts[State.SKIPPED]:
        return Condition("True", "Completed", message)
    return Condition("True", "Succeeded", message)


def child_references(run: PipelineRun) -> list[dict[str, Any]]:
    """What the run made, in the order of the pipeline."""
    found: list[dict[str, Any]] = []
    for task, children in run.children.items():
        for child in children:
            version, kind = _KINDS[type(child)]
            one: dict[str, Any] = {"apiVersion": version, "kind": kind, "name": child.name, "pipelineTaskName": task}
            if isinstance(child, TaskRun) and (display := child.annotations.get("pilothouse.dev/display-name")):
                one["displayName"] = display
            expressions = next(
                (
                    entry.get("when")
                    for section in ("tasks", "finally")
                    for entry in run.pipeline.get(section) or []
                    if entry["name"] == task
                ),
                None,
            )
            if expressions:
                one["whenExpressions"] = expressions
            found.append(one)
    return found


def skipped_tasks(schedule: Schedule, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The tasks that were skipped, each with the reason and its when expressions."""
    found: list[dict[str, Any]] = []
    for name, reason in schedule.skipped.items():
        one: dict[str, Any] = {"name": name, "reason": reason}
        if knowledge.task(name).get("when"):
            one["whenExpressions"] = knowledge.replaced(name, "when")["when"]
        found.append(one)
    return found


def results(spec: dict[str, Any], knowledge: Knowledge) -> list[dict[str, Any]]:
    """The results of the pipeline; one whose tasks did not give all that it needs is left out."""
    found: list[dict[str, Any]] = []
    for one in spec.get("results") or []:
        complete = all(knowledge.known(ref, ref.section) for ref in result_refs(one.get("value")))
        value = replace(one.get("value"), knowledge.values)
        left = any(
            reference.startswith(("tasks.", "finally.")) for _, text in texts(value) for reference in references(text)
        )
        if complete and not left:
            found.append({"name": one["name"], "value": parameters.value(value)})
        elif one.get("default") is not None:
            found.append({"name": one["name"], "value": parameters.value(one["default"])})
    return found


def running(run: PipelineRun, condition: Condition) -> None:
    """Set a condition on a run that is not over."""
    run.status["conditions"] = [condition.to_json()]


def started(run: PipelineRun) -> None:
    """The status at the start."""
    run.status["startTime"] = times.written(run.started)
    running(run, Condition("Unknown", "Running", "Tasks Completed: 0"))
