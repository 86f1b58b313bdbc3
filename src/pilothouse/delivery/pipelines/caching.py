"""Tasks whose inputs did not change need not run again: their results are taken from the last time. Opt-in.

    metadata:
      annotations:
        pilothouse.dev/cache: "true"               # or how long: "24h"
        pilothouse.dev/cache-inputs: "src/**/*.py, pyproject.toml"

The key is a hash of the task with all parameters replaced, of what its images mean, and of the named files in its
workspaces. Only results come back, not what a task wrote to its workspaces.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import durations, events, times
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.errors import PipelineError
from pilothouse.delivery.pipelines.tasks.preparing import Prepared, prepare
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.setting import Setting
from pilothouse.delivery.pipelines.volumes import safe

CACHE = "pilothouse.dev/cache"
INPUTS = "pilothouse.dev/cache-inputs"
KEY = "pilothouse.dev/inputs"
_MOST_FILES = 100_000


class Cache:
    """Remembers results in the store; `everything` takes all tasks, not only those that ask for it."""

    def __init__(self, store: Any, *, everything: bool = False) -> None:
        self._store = store
        self._everything = everything

    async def restore(self, run: TaskRun, setting: Setting) -> bool:
        """Whether the task need not run: its status is then final, and says from which run it came."""
        age = self._age(run)
        if age is None:
            return False
        try:
            prepared = await prepare(run, setting.catalog, setting.action)
            run.annotations[KEY] = key(run, prepared, setting)
        except (PipelineError, OSError):
            return False
        found = self._store.cached(run.annotations[KEY], times.now() - int(age * 1e9) if age else 0)
        if found is None:
            return False
        _, run.started, run.finished = found, times.now(), times.now()
        run.cached_from = found[0]
        run.annotations["pilothouse.dev/cached-from"] = found[0]
        now = times.written(run.finished)
        run.status = {
            "startTime": now,
            "completionTime": now,
            "podName": "",
            "results": found[1],
            "taskSpec": prepared.spec,
            "steps": [],
            "conditions": [
                Condition("True", "Succeeded", f"inputs as in {found[0]}: its results were taken").to_json()
            ],
        }
        setting.listener(
            events.TaskFinished(
                run.pipeline_run or run.name,
                run.finished,
                task=run.pipeline_task or run.name,
                task_run=run.name,
                status=run.status,
                started=run.started,
                cached=True,
            )
        )
        return True

    def keep(self, run: TaskRun) -> None:
        """Remember a task that succeeded."""
        if self._age(run) is not None and run.condition.succeeded and run.annotations.get(KEY):
            self._store.keep_cached(run.annotations[KEY], run.name, run.results)

    def _age(self, run: TaskRun) -> float | None:
        """How old results may be in seconds, 0 for any age, None for a task that is not cached."""
        said = run.annotations.get(CACHE, "true" if self._everything else "")
        if said in ("", "false"):
            return None
        try:
            return 0.0 if said == "true" else durations.seconds(said)
        except ValueError:
            return None


def key(run: TaskRun, prepared: Prepared, setting: Setting) -> str:
    """The hash of all that the task may depend on."""
    names = {run.name: "RUN", run.uid: "UID", run.pipeline_run: "PIPELINERUN", run.pipeline_run_uid: "PIPELINEUID"}
    text = json.dumps(prepared.spec, sort_keys=True)
    for name, word in names.items():
        text = text.replace(name, word) if name else text
    images = sorted(f"{setting.launcher.name} {step.get('image', '')}" for step in prepared.steps)
    digest = hashlib.sha256(json.dumps([text, images]).encode())
    patterns = [part.strip() for part in run.annotations.get(INPUTS, "").split(",") if part.strip()]
    for directory in _directories(prepared, setting) if patterns else ():
        for path in _files(directory, patterns):
            digest.update(f"{path.relative_to(directory)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _directories(prepared: Prepared, setting: Setting) -> list[Path]:
    found = []
    for bound in prepared.bound:
        binding = bound.binding or {}
        if host := (binding.get("hostPath") or {}).get("path"):
            found.append(Path(host, str(binding.get("subPath") or "").lstrip("/")))
        elif claim := (binding.get("persistentVolumeClaim") or {}).get("claimName"):
            found.append(setting.claims / safe(claim) / str(binding.get("subPath") or "").lstrip("/"))
    if setting.directory != "/workspace":
        found.append(Path(setting.directory))
    return [one for one in found if one.is_dir()]


def _files(directory: Path, patterns: list[str]) -> list[Path]:
    found = {path for pattern in patterns for path in directory.glob(pattern.lstrip("/")) if path.is_file()}
    if len(found) > _MOST_FILES:
        raise OSError(f"{len(found)} files are too many to hash")
    return sorted(found)
