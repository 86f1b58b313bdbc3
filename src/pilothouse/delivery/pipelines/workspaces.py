"""Workspaces: what a run binds to what a task declares, and where steps see it. Source: `docs/workspaces.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.variables import Values


@dataclass(frozen=True, slots=True)
class Bound:
    """One declared workspace of a task; `binding` is None for an optional one that nobody gave."""

    name: str
    path: str
    binding: dict[str, Any] | None
    read_only: bool = False

    @property
    def volume(self) -> str:
        """The name of its volume, as `$(workspaces.x.volume)` gives it."""
        return f"ws-{self.name}" if self.binding is not None else ""


def bind(declared: list[dict[str, Any]], given: list[dict[str, Any]], owner: str) -> list[Bound]:
    """Each declared workspace with its binding. Raises `RunError` for one that is required and not given."""
    found = {one["name"]: one for one in given}
    bound: list[Bound] = []
    for one in declared:
        name = one["name"]
        binding = found.get(name)
        if binding is None and not one.get("optional"):
            raise RunError(
                "TaskRunValidationFailed",
                f"{owner}: bound workspaces did not match declared workspaces: declared workspace {name!r} is required "
                "but has not been bound",
            )
        read_only = bool(one.get("readOnly")) or bool(
            binding and (binding.get("persistentVolumeClaim") or {}).get("readOnly")
        )
        bound.append(Bound(name, one.get("mountPath") or f"/workspace/{name}", binding, read_only))
    return bound


def values(bound: list[Bound]) -> Values:
    """What `$(workspaces.…)` stands for in a task."""
    found = Values()
    for one in bound:
        claim = ((one.binding or {}).get("persistentVolumeClaim") or {}).get("claimName", "")
        found.strings |= {
            f"workspaces.{one.name}.path": one.path if one.binding is not None else "",
            f"workspaces.{one.name}.bound": "true" if one.binding is not None else "false",
            f"workspaces.{one.name}.claim": claim,
            f"workspaces.{one.name}.volume": one.volume,
        }
    return found


def isolated(spec: dict[str, Any]) -> set[str]:
    """The workspaces that only some steps or sidecars ask for, and that the others then do not see."""
    containers = [*(spec.get("steps") or []), *(spec.get("sidecars") or [])]
    return {usage["name"] for container in containers for usage in container.get("workspaces") or []}


def for_container(bound: list[Bound], container: dict[str, Any], alone: set[str]) -> list[Bound]:
    """The workspaces that one step or sidecar sees, each where it asked for it."""
    wanted = {usage["name"]: usage.get("mountPath") for usage in container.get("workspaces") or []}
    return [
        Bound(one.name, wanted.get(one.name) or one.path, one.binding, one.read_only)
        for one in bound
        if one.binding is not None and (one.name not in alone or one.name in wanted)
    ]
