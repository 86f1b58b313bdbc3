"""Tekton's pipelines without a cluster: the same YAML, checked and run by this process.

    documents = read_files([Path("ci.yaml")])       # or read_text(text)
    check(documents[0])                             # Tekton's admission errors, with paths
    require(documents)                              # ... or raise InvalidError
    engine = Engine(Catalog(documents), Options(data=Path(".pilothouse"), launcher=ProcessLauncher()))
    run = await engine.run(to_run(choose(documents)[0]))
    run.condition.succeeded, run.results, run.to_object()

Listeners get `events.Event`s while it runs; `engine.cancel(uid)` ends a run early. What is handed out here is imported
when it is first used, so that the command line starts quickly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines import events
    from pilothouse.delivery.pipelines.catalog import Catalog
    from pilothouse.delivery.pipelines.checking import check, require
    from pilothouse.delivery.pipelines.conditions import Condition
    from pilothouse.delivery.pipelines.documents import Document, read_files, read_text
    from pilothouse.delivery.pipelines.engine import Engine, Options, choose, to_run
    from pilothouse.delivery.pipelines.errors import (
        DocumentError,
        InvalidError,
        PipelineError,
        ResolveError,
        RunError,
        StateError,
    )
    from pilothouse.delivery.pipelines.executors.process import ProcessLauncher
    from pilothouse.delivery.pipelines.fields import FieldError
    from pilothouse.delivery.pipelines.runs.request import CustomRun, PipelineRun
    from pilothouse.delivery.pipelines.tasks.request import TaskRun

_HOMES = {
    "Catalog": "catalog", "check": "checking", "require": "checking", "Condition": "conditions",
    "Document": "documents",
    "read_files": "documents", "read_text": "documents", "Engine": "engine", "Options": "engine", "choose": "engine",
    "to_run": "engine", "DocumentError": "errors", "InvalidError": "errors", "PipelineError": "errors",
    "ResolveError": "errors", "RunError": "errors", "StateError": "errors", "ProcessLauncher": "executors.process",
    "FieldError": "fields", "CustomRun": "runs.request", "PipelineRun": "runs.request", "TaskRun": "tasks.request",
}  # fmt: skip

__all__ = [
    "Catalog",
    "Condition",
    "CustomRun",
    "Document",
    "DocumentError",
    "Engine",
    "FieldError",
    "InvalidError",
    "Options",
    "PipelineError",
    "PipelineRun",
    "ProcessLauncher",
    "ResolveError",
    "RunError",
    "StateError",
    "TaskRun",
    "check",
    "choose",
    "events",
    "read_files",
    "read_text",
    "require",
    "to_run",
]


def __getattr__(name: str) -> Any:
    if name == "events":
        return importlib.import_module(f"{__name__}.events")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
