"""Pipelines. Source: `pipeline_validation.go`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilothouse.delivery.pipelines.checking import params, references, tasks
from pilothouse.delivery.pipelines.checking.pipeline_tasks import pipeline_task
from pilothouse.delivery.pipelines.fields import Errors, at, both, general, invalid, missing, under
from pilothouse.delivery.pipelines.graph import GraphError, build, result_refs
from pilothouse.delivery.pipelines.variables import references as in_text
from pilothouse.delivery.pipelines.variables import texts

_CONTEXT = {"pipelineRun.name", "pipelineRun.namespace", "pipelineRun.uid", "pipeline.name", "pipelineTask.retries"}


def pipeline_spec(spec: dict[str, Any]) -> Errors:
    """The rules for every pipeline, also an embedded one. Paths are below the spec."""
    found, final = spec.get("tasks") or [], spec.get("finally") or []
    if not spec:
        yield general("expected at least one, got none", "description", "params", "resources", "tasks", "workspaces")
        return
    if final and not found:
        yield invalid(f"spec.tasks is empty but spec.finally has {len(final)} tasks", "finally")
    elif not found:
        yield missing("tasks")
    yield from _tasks(found, final)
    try:
        build(found)
    except GraphError as error:
        yield invalid(error, "tasks")
    yield from under("params", params.declarations(spec.get("params") or []))
    yield from _workspaces(spec.get("workspaces") or [])
    yield from _status_references(found, final)
    yield from _final(found, final)
    yield from _results(spec)
    for section, entries in (("tasks", found), ("finally", final)):
        for index, one in enumerate(entries):
            yield from at(section, index, _context(one))


def standalone(spec: dict[str, Any]) -> Errors:
    """What holds for a Pipeline object only: nothing comes from outside, so that all in use must be declared."""
    declared = spec.get("params") or []
    names = params.names(declared) | {
        f"{one.get('name')}.{key}" for one in declared for key in (one.get("properties") or {})
    }
    spaces = {one.get("name") for one in spec.get("workspaces") or []}
    for section in ("tasks", "finally"):
        for index, one in enumerate(spec.get(section) or []):
            yield from at(section, index, _params_in_use(one, names))
            yield from at(section, index, _workspaces_in_use(one, spaces))
            if one.get("taskSpec") and (one["taskSpec"].get("steps")):
                more = [*declared, *_from_values(one)]
                yield from at(section, index, under("taskSpec", tasks.declared_usage(one["taskSpec"], more)))


def _from_values(one: dict[str, Any]) -> list[dict[str, Any]]:
    """A pipeline task's values stand for declarations in its embedded task."""
    given = [*(one.get("params") or []), *((one.get("matrix") or {}).get("params") or [])]
    given += [param for entry in (one.get("matrix") or {}).get("include") or [] for param in entry.get("params") or []]
    return [
        {"name": param.get("name"), "properties": {key: {} for key in param["value"]}}
        if isinstance(param.get("value"), dict)
        else {"name": param.get("name")}
        for param in given
    ]


def _tasks(found: list[dict[str, Any]], final: list[dict[str, Any]]) -> Errors:
    seen: set[str] = set()
    for section, entries in (("tasks", found), ("finally", final)):
        for index, one in enumerate(entries):
            name = str(one.get("name", ""))
            if name and name in seen:
                yield both(f"{section}[{index}].name")
            seen.add(name)
            yield from at(section, index, pipeline_task(one))


def _workspaces(found: list[dict[str, Any]]) -> Errors:
    seen: set[str] = set()
    for index, one in enumerate(found):
        name = one.get("name", "")
        if not name:
            yield invalid(f"workspace {index} has empty name", f"workspaces[{index}]")
        elif name in seen:
            yield invalid(f'workspace with name "{name}" appears more than once', f"workspaces[{index}]")
        seen.add(name)


def _values(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of a pipeline task that take references, with the paths that Tekton gives them."""
    for param in one.get("params") or []:
        for _, text in texts(param.get("value")):
            yield f"params[{param.get('name')}].value", text
    for param in (one.get("matrix") or {}).get("params") or []:
        for _, text in texts(param.get("value")):
            yield f"matrix.params[{param.get('name')}].value", text
    for index, expression in enumerate(one.get("when") or []):
        for _, text in texts(expression):
            yield f"when[{index}]", text


def _params_in_use(one: dict[str, Any], known: set[str]) -> Errors:
    for path, text in _values(one):
        if references.unknown(text, "params", known):
            yield general(f'non-existent variable in "{text}"', path)


def _context(one: dict[str, Any]) -> Errors:
    for path, text in _values(one):
        if references.unknown(text, "context", _CONTEXT) and not text.count("$(context.task"):
            yield general(f'non-existent variable in "{text}"', path)


def _workspaces_in_use(one: dict[str, Any], known: set[Any]) -> Errors:
    seen: set[str] = set()
    for index, usage in enumerate(one.get("workspaces") or []):
        name = usage.get("workspace") or usage.get("name")
        if usage.get("name") in seen:
            yield general(f'workspace name "{usage.get("name")}" must be unique', f"workspaces[{index}]")
        seen.add(usage.get("name", ""))
        if name not in known:
            yield invalid(
                f'pipeline task "{one.get("name")}" expects workspace with name "{name}"'
                " but none exists in pipeline spec",
                f"workspaces[{index}]",
            )


def _status_references(found: list[dict[str, Any]], final: list[dict[str, Any]]) -> Errors:
    known = {str(one.get("name")) for one in found}
    for index, one in enumerate(found):
        for path, text in _values(one):
            if any(_status_of(reference) is not None for reference in in_text(text)):
                yield invalid(
                    "pipeline tasks can not refer to execution status of any other pipeline task or aggregate status"
                    " of tasks", f"tasks[{index}].{path}",
                )  # fmt: skip
    for index, one in enumerate(final):
        for path, text in _values(one):
            for reference in in_text(text):
                name = _status_of(reference)
                if name and name not in known:
                    yield invalid(f"pipeline task {name} is not defined in the pipeline", f"finally[{index}].{path}")


def _status_of(reference: str) -> str | None:
    """The task whose status or reason a reference asks for; empty for all tasks together."""
    if reference == "tasks.status":
        return ""
    parts = reference.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "tasks" and parts[2] in ("status", "reason") else None


def _final(found: list[dict[str, Any]], final: list[dict[str, Any]]) -> Errors:
    known, finals = {one.get("name") for one in found}, {one.get("name") for one in final}
    for index, one in enumerate(final):
        if one.get("runAfter"):
            yield invalid(
                f"no runAfter allowed under spec.finally, final task {one.get('name')} has runAfter specified",
                f"finally[{index}]",
            )
        for path, text in _values(one):
            for ref in result_refs(text):
                if ref.task in finals:
                    yield invalid(
                        "invalid task result reference, final task has task result reference from a final task "
                        f"{ref.task}", f"finally[{index}].{path}",
                    )  # fmt: skip
                elif ref.task not in known:
                    yield invalid(
                        f"invalid task result reference, final task has task result reference from a task {ref.task}"
                        " which is not defined in the pipeline", f"finally[{index}].{path}",
                    )  # fmt: skip


def _results(spec: dict[str, Any]) -> Errors:
    known = {
        "tasks": {one.get("name") for one in spec.get("tasks") or []},
        "finally": {one.get("name") for one in spec.get("finally") or []},
    }
    seen: set[str] = set()
    for index, one in enumerate(spec.get("results") or []):
        place = f"results[{index}].value"
        if not one.get("name"):
            yield missing(f"results[{index}].name")
        elif one["name"] in seen:
            yield both(f"results[{index}].name")
        seen.add(one.get("name", ""))
        found = [reference for _, text in texts(one.get("value")) for reference in in_text(text)]
        refs = list(result_refs(one.get("value")))
        if not found:
            yield invalid(
                "expected pipeline results to be task result expressions but no expressions were found", place
            )
        elif not refs:
            yield invalid(
                "expected pipeline results to be task result expressions but an invalid expressions was found", place
            )
        elif any(ref.task not in known[ref.section] for ref in refs):
            yield invalid("referencing a nonexistent task", place)
