"""A run as a picture: its tasks with what each waits for and how far it is, and what a person can start."""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines import listing, times
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.graph import GraphError, build
from pilothouse.delivery.pipelines.state.store import KeptRun, RunStore

_STARTABLE = ("Pipeline", "Task", "PipelineRun", "TaskRun")
_CANCELLED = ("Cancelled", "TaskRunCancelled", "PipelineRunCancelled", "TaskRunTimeout", "Interrupted")


def startable(documents: list[Document]) -> list[dict[str, Any]]:
    """The Pipelines, Tasks and runs that can be started by name, with their parameters and how many tasks each has."""
    found = []
    for document in documents:
        if document.kind not in _STARTABLE:
            continue
        spec = document.body.get("spec") or {}
        spec = spec.get("pipelineSpec") or spec.get("taskSpec") or spec
        params = [
            {
                "name": one.get("name"),
                "type": one.get("type") or "string",
                "description": one.get("description") or "",
                "default": one.get("default"),
            }
            for one in spec.get("params") or []
            if isinstance(one, dict) and "value" not in one
        ]
        tasks = len(spec.get("tasks") or []) + len(spec.get("finally") or [])
        told = str(spec.get("description") or "")
        found.append(
            {"kind": document.kind, "name": document.name, "description": told, "params": params, "tasks": tasks or 1}
        )
    return found


def picture(store: RunStore, name: str) -> dict[str, Any]:
    """A run with its tasks in the order of the pipeline. Raises `StateError`.

    A task's `after` are the tasks that it waits for; `state` is `waiting`, `running`, `succeeded`, `failed`,
    `cancelled` or `skipped`; times are RFC 3339 or null.
    """
    kept = listing.find(store, name)
    body = store.object(kept.uid)
    status = body.get("status") or {}
    runs: dict[str, list[dict[str, Any]]] = {}
    for one in store.task_runs(kept.uid):
        runs.setdefault(listing.task_of(one), []).append(one)
    began = store.task_starts(kept.uid)
    spec = _spec(store, kept, body)
    skipped = {one["name"]: str(one.get("reason") or "") for one in status.get("skippedTasks") or []}
    after = _after(spec)
    tasks = [
        {
            "name": task,
            "after": after.get(task, []),
            "finally": final,
            **_progress(runs.get(task, []), began, skipped.get(task), done=kept.done),
        }
        for task, final in _names(spec, runs)
    ]
    return {
        **listing.row(kept),
        "message": kept.message,
        "finished": times.written(kept.finished) if kept.finished else None,
        "labels": (body.get("metadata") or {}).get("labels") or {},
        "params": (body.get("spec") or {}).get("params") or [],
        "results": status.get("results") or [],
        "tasks": tasks,
    }


def _spec(store: RunStore, kept: KeptRun, body: dict[str, Any]) -> dict[str, Any]:
    """The pipeline's spec: as it was resolved, as it stands in the run, or as the run's documents have it."""
    spec = body.get("spec") or {}
    found = (body.get("status") or {}).get("pipelineSpec") or spec.get("pipelineSpec")
    if found:
        return dict(found)
    wanted = (spec.get("pipelineRef") or {}).get("name")
    named = [one for one in store.documents(kept.uid) if one.kind == "Pipeline" and one.name == wanted]
    return dict(named[-1].body.get("spec") or {}) if named else {}


def _names(spec: dict[str, Any], runs: dict[str, Any]) -> list[tuple[str, bool]]:
    """Every task with whether it is a `finally` one; where the spec is not known, those that have run."""
    found = [
        (str(one["name"]), section == "finally") for section in ("tasks", "finally") for one in spec.get(section) or []
    ]
    return found or [(name, False) for name in runs]


def _after(spec: dict[str, Any]) -> dict[str, list[str]]:
    try:
        return {name: list(found) for name, found in build(spec.get("tasks") or []).parents.items()}
    except GraphError:
        return {}


def _progress(found: list[dict[str, Any]], began: dict[str, int], skipped: str | None, *, done: bool) -> dict[str, Any]:
    """How far a task is, over all of its TaskRuns (a matrix makes several)."""
    states = [_state(one) for one in found]
    if states:
        state = next((one for one in ("failed", "cancelled", "running") if one in states), "succeeded")
        state = "running" if "running" in states and not done else state
    else:
        state = "skipped" if done else "waiting"
    starts = [began[one["metadata"]["uid"]] for one in found if began.get(one["metadata"]["uid"])]
    ends = [str(end) for one in found if (end := (one.get("status") or {}).get("completionTime"))]
    conditions = [_condition(one) for one in found]
    worst = next((one for one in conditions if one.get("status") == "False"), conditions[-1] if conditions else {})
    return {
        "state": state,
        "reason": str(worst.get("reason") or skipped or ""),
        "message": str(worst.get("message") or ""),
        "started": times.written(min(starts)) if starts else None,
        "finished": max(ends) if ends and len(ends) == len(found) else None,
        "runs": [one["metadata"]["name"] for one in found],
        "retries": sum(len((one.get("status") or {}).get("retriesStatus") or []) for one in found),
        "steps": [step for one in found for step in _steps(one)],
        "results": [result for one in found for result in (one.get("status") or {}).get("results") or []],
    }


def _steps(run: dict[str, Any]) -> list[dict[str, Any]]:
    status = run.get("status") or {}
    told = status.get("steps")
    if not told:
        spec = status.get("taskSpec") or (run.get("spec") or {}).get("taskSpec") or {}
        return [_step(str(one.get("name") or ""), {}) for one in spec.get("steps") or []]
    return [_step(str(one.get("name") or ""), one.get("terminated") or {}) for one in told]


def _step(name: str, ended: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "exit_code": ended.get("exitCode"),
        "reason": str(ended.get("reason") or ""),
        "started": ended.get("startedAt"),
        "finished": ended.get("finishedAt"),
    }


def _state(run: dict[str, Any]) -> str:
    condition = _condition(run)
    if condition.get("status") == "True":
        return "succeeded"
    if condition.get("status") == "False":
        return "cancelled" if condition.get("reason") in _CANCELLED else "failed"
    return "running"


def _condition(run: dict[str, Any]) -> dict[str, Any]:
    return next(iter((run.get("status") or {}).get("conditions") or []), {})
