"""The checkout as a run's workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.engine import Run
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.volumes import claimed

# Which workspace is the code: the annotation says so, else the first of these names, else the only one there is.
ANNOTATION = "pilothouse.dev/source-workspace"
_CODE = ("source", "src", "code", "repo", "repository", "shared-data", "shared-workspace", "workspace", "git-source")


def bind(run: Run, documents: list[Document], checkout: Path) -> None:
    """Give the checkout to the workspace that is the code, and an empty volume to those that have none."""
    declared = _declared(run, documents)
    bindings = {one["name"]: one for one in run.spec.get("workspaces") or []}
    code = run.annotations.get(ANNOTATION) or _code([*dict.fromkeys([*declared, *bindings])])
    for name, optional in declared.items():
        if name not in bindings and not optional:
            bindings[name] = {"name": name, "volumeClaimTemplate": {"spec": {}}}
    if code in bindings and _is_open(bindings[code]):
        bindings[code] = {"name": code, "hostPath": {"path": str(checkout)}}
    found = list(bindings.values())
    run.spec["workspaces"] = claimed(found, run.uid) if isinstance(run, TaskRun) else found


def _declared(run: Run, documents: list[Document]) -> dict[str, bool]:
    """The workspaces of what runs, and whether they may be missing."""
    kind = "task" if isinstance(run, TaskRun) else "pipeline"
    spec: Any = run.spec.get(f"{kind}Spec")
    if spec is None:
        name = (run.spec.get(f"{kind}Ref") or {}).get("name")
        spec = next((one.body.get("spec") for one in documents if (one.kind, one.name) == (kind.title(), name)), None)
    return {one["name"]: bool(one.get("optional")) for one in (spec or {}).get("workspaces") or []}


def _code(names: list[str]) -> str:
    return next((name for name in _CODE if name in names), names[0] if len(names) == 1 else "")


def _is_open(binding: dict[str, Any]) -> bool:
    """Whether a binding asks for nothing in particular: what it would find there is nothing."""
    return "volumeClaimTemplate" in binding or "emptyDir" in binding or set(binding) <= {"name", "subPath"}
