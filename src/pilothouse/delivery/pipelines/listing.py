"""Kept runs for people: a table, a run's log, its description."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import durations, times
from pilothouse.delivery.pipelines.checking.runs import PIPELINE_STATES
from pilothouse.delivery.pipelines.errors import StateError
from pilothouse.delivery.pipelines.state.store import KeptRun, RunStore

_CHUNK = 1 << 16


def rows(store: RunStore, pipeline: str, limit: int, value: str = "") -> list[dict[str, Any]]:
    """The runs, newest first; with `value` only those with a parameter or result of this text."""
    return [row(one) for one in store.runs(pipeline, limit, value=value)]


def row(one: KeptRun) -> dict[str, Any]:
    """A run as a line of the table, for programs."""
    end = one.finished or times.now()
    return {
        "name": one.name,
        "kind": one.kind,
        "pipeline": one.pipeline,
        "started": times.written(one.started or one.created),
        "duration_seconds": round((end - (one.started or one.created)) / 1e9, 3),
        "status": one.status,
        "reason": one.reason,
        "uid": one.uid,
        "trace_id": one.trace,
    }


def table(found: list[dict[str, Any]]) -> str:
    """Columns as tkn has them."""
    if not found:
        return "No runs yet: start one with `pilothouse run FILE.yaml`."
    lines = [("NAME", "PIPELINE", "STARTED", "DURATION", "STATUS")]
    lines += [
        (
            one["name"],
            one["pipeline"],
            _ago(one["started"]),
            durations.written(round(one["duration_seconds"], 1)),
            one["reason"],
        )
        for one in found
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "   ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _ago(started: str) -> str:
    from datetime import datetime

    seconds = time.time() - datetime.fromisoformat(started).timestamp()
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return f"{max(0, int(seconds))} seconds ago"


def find(store: RunStore, name: str) -> KeptRun:
    """A run by name or UID, or the last one. Raises `StateError`."""
    if not name:
        newest = store.runs(limit=1)
        if not newest:
            raise StateError("there are no runs yet: start one with `pilothouse run FILE.yaml`")
        return newest[0]
    found = store.find(name)
    if found is None:
        raise StateError(f"there is no run {name!r}; see `pilothouse pipeline list`")
    return found


def described(store: RunStore, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run and its TaskRuns as objects."""
    found = find(store, name)
    return store.object(found.uid), store.task_runs(found.uid)


def cancel(store: RunStore, name: str, how: str) -> str:
    """Ask a run to end; returns its name. Raises `StateError`."""
    found = find(store, name)
    if found.done:
        raise StateError(f"{found.name} is over already: {found.reason}")
    if how not in PIPELINE_STATES[:3]:
        raise StateError(f"--grace {how!r} is not {', '.join(PIPELINE_STATES[:3])}")
    store.want(found.uid, how)
    return found.name


def log_lines(store: RunStore, data: Path, name: str, task: str, step: str, *, follow: bool) -> Iterator[str]:
    """The log of a run, step by step in the order in which they began; with `follow` until the run ends."""
    found = find(store, name)
    directory = data / "logs" / found.uid
    places: dict[Path, int] = {}
    while True:
        done = not follow or find(store, found.uid).done
        names = {one["metadata"]["name"]: task_of(one) for one in store.task_runs(found.uid)}
        for path in sorted(
            directory.glob("*.log"), key=lambda one: one.stat().st_ctime if follow else one.stat().st_mtime
        ):
            run, step_name = _parts(path)
            label = names.get(run, run)
            if (task and task != label) or (step and step != step_name):
                continue
            yield from _new_lines(path, places, f"[{label} : {step_name}] ")
        if done:
            return
        time.sleep(0.2)


def task_of(body: dict[str, Any]) -> str:
    """The pipeline task that a TaskRun is of; its own name where it is of none."""
    meta = body["metadata"]
    return str((meta.get("labels") or {}).get("tekton.dev/pipelineTask") or meta["name"])


def _parts(path: Path) -> tuple[str, str]:
    """TASKRUN.STEP.ATTEMPT.log"""
    name = path.name.removesuffix(".log")
    run, _, rest = name.partition(".")
    return run, rest.rpartition(".")[0] or rest


def _new_lines(path: Path, places: dict[Path, int], prefix: str) -> Iterator[str]:
    with path.open("rb") as file:
        file.seek(places.get(path, 0))
        for line in file:
            yield prefix + line.decode("utf-8", "replace").rstrip("\n") + "\n"
        places[path] = file.tell()
