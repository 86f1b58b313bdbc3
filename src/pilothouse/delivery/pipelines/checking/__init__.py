"""Tekton's rules for its objects, with messages and paths like those of its admission webhook.

`check(document)` gives all errors of one object, `require(document)` raises them. Fields and types come first (table in
`shapes`); where they are wrong, the rules above them are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pilothouse.delivery.pipelines.checking import names, pipelines, runs, shape, steps, tasks
from pilothouse.delivery.pipelines.checking.shapes import VERSIONS
from pilothouse.delivery.pipelines.errors import InvalidError
from pilothouse.delivery.pipelines.fields import Errors, FieldError, invalid, missing, under

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.documents import Document

KINDS = frozenset(VERSIONS)


def check(document: Document) -> list[FieldError]:
    """All errors of an object; objects that are not Tekton's have none."""
    body = document.body
    if not document.kind or not document.version:
        lacking = [field for field in ("apiVersion", "kind") if not body.get(field)]
        return [missing(*lacking)]
    if document.kind not in KINDS or not document.version.startswith("tekton.dev/"):
        return []
    if document.version not in VERSIONS[document.kind]:
        return [
            invalid(document.version, "apiVersion", f"{document.kind} is known in {', '.join(VERSIONS[document.kind])}")
        ]
    found = list(under("metadata", names.metadata(body.get("metadata"))))
    known = {key: body[key] for key in body if key not in ("apiVersion", "kind", "metadata")}
    shaped = list(shape.check(known, document.kind))
    if shaped:
        return found + shaped
    if not isinstance(body.get("spec"), dict):
        return [*found, missing("spec")]
    return _distinct([*found, *under("spec", _RULES[document.kind](body["spec"]))])


def require(documents: Iterable[Document]) -> None:
    """Raises `InvalidError` for the first object with errors; it carries all of that object's errors."""
    for document in documents:
        if found := check(document):
            raise InvalidError(document.title, found)


def check_task_spec(spec: Any) -> list[FieldError]:
    """The errors of a TaskSpec that came from elsewhere, for example from a resolver."""
    found = list(shape.check(spec, "TaskSpec"))
    return found or _distinct(tasks.task_spec(spec))


def _task(spec: dict[str, Any]) -> Errors:
    yield from tasks.task_spec(spec)
    yield from tasks.declared_usage(spec)


def _pipeline(spec: dict[str, Any]) -> Errors:
    yield from pipelines.pipeline_spec(spec)
    yield from pipelines.standalone(spec)


_RULES: dict[str, Callable[[dict[str, Any]], Errors]] = {
    "Task": _task,
    "Pipeline": _pipeline,
    "StepAction": steps.step_action,
    "TaskRun": runs.task_run,
    "PipelineRun": runs.pipeline_run,
    "CustomRun": runs.custom_run,
}


def _distinct(errors: Iterable[FieldError]) -> list[FieldError]:
    return list(dict.fromkeys(errors))
