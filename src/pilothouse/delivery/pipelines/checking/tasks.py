"""Tasks. Source: `task_validation.go`."""

from __future__ import annotations

import posixpath
from typing import Any

from pilothouse.delivery.pipelines.checking import params, references, results, steps
from pilothouse.delivery.pipelines.fields import Errors, at, general, missing, under


def task_spec(spec: dict[str, Any]) -> Errors:
    """The rules that hold for every Task, also an embedded one. Paths are below the spec."""
    found, template = spec.get("steps") or [], spec.get("stepTemplate") or {}
    if not found:
        yield missing("steps")
    yield from _volumes(spec.get("volumes") or [])
    yield from _workspaces(spec)
    yield from _workspace_usages(spec)
    yield from steps.steps(found, template)
    yield from steps.sidecars(spec.get("sidecars") or [])
    declared = spec.get("params") or []
    yield from under("params", params.declarations(declared))
    yield from under("results", results.declared(spec.get("results") or []))
    names = {str(one.get("name")) for one in spec.get("results") or []}
    for index, step in enumerate(found):
        yield from at("steps", index, references.whole_values_in_step(step, declared))
        yield from at("steps", index, references.context_in_step(step))
        yield from at("steps", index, references.results_in_step(step, names))


def declared_usage(spec: dict[str, Any], more: list[dict[str, Any]] | None = None) -> Errors:
    """That every parameter in use is declared, by the Task or (`more`) by what it stands in."""
    declared = [*(spec.get("params") or [])]
    own = {one.get("name") for one in declared}
    declared += [one for one in more or [] if one.get("name") not in own]
    for index, step in enumerate(spec.get("steps") or []):
        usage = (
            error
            for error in references.params_in_step(step, declared)
            if more is not None or not error.message.startswith("variable")
        )
        yield from at("steps", index, (error for error in usage if error.message.startswith("non-existent")))


def _volumes(volumes: list[dict[str, Any]]) -> Errors:
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            yield missing(f"volumes[{index}].name")
        elif name in seen:
            yield general(f'multiple volumes with same name "{name}"', f"volumes[{index}].name")
        seen.add(name)


def _workspaces(spec: dict[str, Any]) -> Errors:
    mounted = [mount for step in spec.get("steps") or [] for mount in step.get("volumeMounts") or []]
    mounted += (spec.get("stepTemplate") or {}).get("volumeMounts") or []
    paths = {posixpath.normpath(mount.get("mountPath", "")) for mount in mounted}
    seen: set[str] = set()
    for index, one in enumerate(spec.get("workspaces") or []):
        name = one.get("name", "")
        if not name:
            yield missing(f"workspaces[{index}].name")
        if name in seen:
            yield general(f'workspace name "{name}" must be unique', f"workspaces[{index}].name")
        seen.add(name)
        path = posixpath.normpath(one.get("mountPath") or f"/workspace/{name}")
        if path in paths:
            yield general(f'workspace mount path "{path}" must be unique', f"workspaces[{index}].mountPath")
        paths.add(path)


def _workspace_usages(spec: dict[str, Any]) -> Errors:
    known = {one.get("name") for one in spec.get("workspaces") or []}
    for field in ("steps", "sidecars"):
        for index, container in enumerate(spec.get(field) or []):
            for place, usage in enumerate(container.get("workspaces") or []):
                if usage.get("name") not in known:
                    yield general(
                        f'undefined workspace "{usage.get("name")}"', f"{field}[{index}].workspaces[{place}].name"
                    )
