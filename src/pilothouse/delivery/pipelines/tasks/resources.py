"""What a run says about the resources of a task's steps and sidecars: `stepSpecs`, `sidecarSpecs`, `computeResources`.

Source: `docs/compute-resources.md` of Tekton. Steps run one after the other, so that a limit on the task is one on each
of its steps; what a run says of one step wins over what the task says of it.
"""

from __future__ import annotations

from typing import Any

from pilothouse.delivery.pipelines.tasks.names import step_name


def steps(found: list[dict[str, Any]], run: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps with the resources that the TaskRun's spec gives them."""
    whole, own = run.get("computeResources"), _by_name(run.get("stepSpecs"))
    if not whole and not own:
        return found
    return [_with(step, whole or own.get(step_name(step, index))) for index, step in enumerate(found)]


def sidecars(found: list[dict[str, Any]], run: dict[str, Any]) -> list[dict[str, Any]]:
    """The sidecars with theirs."""
    own = _by_name(run.get("sidecarSpecs"))
    return [_with(one, own.get(str(one.get("name") or ""))) for one in found] if own else found


def _by_name(specs: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {str(one.get("name")): one.get("computeResources") or {} for one in specs or []}


def _with(container: dict[str, Any], resources: dict[str, Any] | None) -> dict[str, Any]:
    if not resources:
        return container
    said = container.get("computeResources") or {}
    both = {kind: {**(said.get(kind) or {}), **(resources.get(kind) or {})} for kind in ("requests", "limits")}
    return {**container, "computeResources": {**said, **{kind: value for kind, value in both.items() if value}}}
