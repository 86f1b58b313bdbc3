"""The three timeouts of a PipelineRun and how they bound its tasks. Source: Tekton's `docs/pipelineruns.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines import durations

DEFAULT = 3600.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; 0 is none."""

    pipeline: float
    tasks: float
    final: float


def of(spec: dict[str, Any]) -> Timeouts:
    """The timeouts of a run; what is not said follows from what is."""
    given = spec.get("timeouts") or {}
    pipeline = durations.seconds(given["pipeline"]) if given.get("pipeline") is not None else DEFAULT
    tasks = durations.seconds(given["tasks"]) if given.get("tasks") is not None else None
    final = durations.seconds(given["finally"]) if given.get("finally") is not None else None
    if tasks is None:
        tasks = max(pipeline - final, 0) if final and pipeline else pipeline
    if final is None:
        final = max(pipeline - tasks, 0) if given.get("tasks") is not None and pipeline and tasks else 0.0
    return Timeouts(pipeline, tasks, final)


def of_task(run_spec: dict[str, Any], task: dict[str, Any]) -> float:
    """How long a TaskRun of a pipeline task may take: its taskRunSpec, its own timeout, the default."""
    for one in run_spec.get("taskRunSpecs") or []:
        if one.get("pipelineTaskName") == task.get("name") and one.get("timeout"):
            return durations.seconds(one["timeout"])
    if task.get("timeout"):
        return durations.seconds(task["timeout"])
    if "timeouts" in run_spec:
        limits = of(run_spec)
        return limits.tasks or limits.pipeline
    return DEFAULT
