"""Prow's jobs: presubmits, postsubmits and periodics of `.prow.yaml` or `.prow/*.yaml`.

Source: `docs/jobs` of kubernetes-sigs/prow and `pkg/config/jobs.go`. What runs is the job's `pipeline_run_spec` (or
`tekton_pipeline_run_spec`), a PodSpec in `spec`, or a `source` file beside it (Lighthouse).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import re2

from pilothouse.delivery.chat.model import Job
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.triggering.definition import Definition, Kind
from pilothouse.delivery.triggering.pods import task_of

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_KINDS: dict[str, Kind] = {"presubmits": "presubmit", "postsubmits": "postsubmit", "periodics": "periodic"}
# What runs for a job: its document and those it may refer to.
Find = Callable[[dict[str, Any]], tuple[Document, tuple[Document, ...]]]


def definitions(content: dict[str, Any], source: str, repository: str, find: Find) -> Iterator[Definition | ValueError]:
    """The jobs of one file; a job that is wrong is an error in their place, the others are as they are."""
    for section, kind in _KINDS.items():
        for entry in _entries(content.get(section), repository):
            try:
                yield _definition(entry, kind, source, find)
            except ValueError as error:
                yield ValueError(f"{source}: {section}: {error}")


def _entries(section: Any, repository: str) -> list[Any]:
    """A list, or Prow's central form: lists by `OWNER/NAME`."""
    if isinstance(section, dict):
        section = section.get(repository)
    return section if isinstance(section, list) else []


def _definition(entry: Any, kind: Kind, source: str, find: Find) -> Definition:
    if not isinstance(entry, dict):
        raise ValueError("each job must be a mapping")
    name = str(entry.get("name") or "")
    if not _NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: must be letters, digits, '-', '.' and '_'")
    changed, skipped = str(entry.get("run_if_changed") or ""), str(entry.get("skip_if_only_changed") or "")
    if changed and skipped:
        raise ValueError(f"job {name}: run_if_changed and skip_if_only_changed exclude each other")
    always = entry.get("always_run")
    trigger = str(entry.get("trigger") or "")
    branches, not_branches = _list(entry, "branches"), _list(entry, "skip_branches")
    for pattern in (changed, skipped, trigger, *branches, *not_branches):
        try:
            re2.compile(pattern)
        except re2.error as error:
            raise ValueError(f"job {name}: {pattern!r} is not an expression: {error}") from None
    document, documents = find(entry)
    job = Job(
        name, str(entry.get("context") or ""),
        # A postsubmit without conditions runs on every push.
        always_run=bool(always) if always is not None else kind == "postsubmit" and not (changed or skipped),
        optional=bool(entry.get("optional")), run_if_changed=changed, skip_if_only_changed=skipped,
        branches=branches, skip_branches=not_branches, trigger=trigger,
        rerun=str(entry.get("rerun_command") or ""), run_before_merge=bool(entry.get("run_before_merge")),
    )  # fmt: skip
    return Definition(
        job, kind, source, document, documents, most=int(entry.get("max_concurrency") or 0),
        schedule=_schedule(entry, name) if kind == "periodic" else "", branch=str(entry.get("branch") or ""),
    )  # fmt: skip


def inline(entry: dict[str, Any], source: str) -> Document | None:
    """The PipelineRun or TaskRun that a job brings along; None when it brings none. Raises `ValueError`."""
    name = str(entry["name"])
    run = entry.get("pipeline_run_spec") or entry.get("tekton_pipeline_run_spec")
    if isinstance(run, dict):
        spec = run.get("v1") or run.get("v1beta1") or run
        return Document(_object("PipelineRun", name, spec, entry), source)
    if isinstance(entry.get("spec"), dict):
        return Document(_object("TaskRun", name, {"taskSpec": task_of(entry["spec"], name)}, entry), source)
    return None


def _object(kind: str, name: str, spec: Any, entry: dict[str, Any]) -> dict[str, Any]:
    short = re.sub(r"[^a-z0-9-]", "-", name.lower())[:50].strip("-") or "job"
    meta: dict[str, Any] = {"generateName": f"{short}-"}
    if isinstance(entry.get("labels"), dict):
        meta["labels"] = {str(key): str(value) for key, value in entry["labels"].items()}
    return {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": meta, "spec": spec}


def _list(entry: dict[str, Any], name: str) -> tuple[str, ...]:
    value = entry.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"job {entry.get('name')}: {name}: must be a list of expressions")
    return tuple(map(str, value))


def _schedule(entry: dict[str, Any], name: str) -> str:
    """`cron: ...`, `interval: 6h` or `minimum_interval: 6h`; checked when it is first due."""
    for field in ("cron", "interval", "minimum_interval"):
        if entry.get(field):
            return f"{field}: {entry[field]}"
    raise ValueError(f"job {name}: a periodic needs cron, interval or minimum_interval")
