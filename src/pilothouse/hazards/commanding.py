"""A fix as a command: what `kubectl patch` takes to change the live object as the rule's patch would."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from pilothouse.hazards.model import Finding
from pilothouse.kube.objects import KubeObject, dig, mapping, mappings, text_of

# Whose lists the API server merges by their items' names; elsewhere a patch replaces a list whole.
# https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
_STRATEGIC = ("", "apps", "batch")
_MERGED = ("containers", "initContainers", "volumes", "env")


@dataclass(frozen=True, slots=True)
class Fix:
    """How a live object would be changed: a unified diff, and the same for kubectl (empty where it cannot be said)."""

    subject: str
    diff: str
    command: str
    safe: bool


def command(one: KubeObject, finding: Finding) -> str:
    """The `kubectl patch` of a fix; empty where a patch would replace a list that the fix only changes in part."""
    path = () if "spec" in finding.rule.patch else finding.at
    change = _named(dig(one.content, *path), finding.rule.patch)
    patch = None if change is None else _wrapped(one.content, path, change)
    strategic = one.group in _STRATEGIC
    if patch is None or (not strategic and _lists(patch)):
        return ""
    resource = f"{one.kind}.{one.api_version.rpartition('/')[2]}.{one.group}" if one.group else one.kind
    words = ["kubectl", "patch", resource.lower(), one.name]
    words += ["--namespace", one.namespace] if one.namespace else []
    return shlex.join([*words, "--type", "strategic" if strategic else "merge", "--patch", json.dumps(patch)])


def _named(there: Any, change: Any) -> Any:
    """The change with each item of a list named; one without a name is for all there are. None if those have none."""
    if isinstance(change, dict):
        if any(isinstance(value, list) and _whole(name, mapping(there).get(name)) for name, value in change.items()):
            return None
        inner = {name: _named(mapping(there).get(name), value) for name, value in change.items()}
        return None if any(value is None and change[name] is not None for name, value in inner.items()) else inner
    if not isinstance(change, list):
        return change
    items: list[Any] = []
    for item in change:
        if not isinstance(item, dict) or "name" in item:
            items.append(item)
            continue
        names = [text_of(one.get("name")) for one in mappings(there)]
        if not all(names):
            return None
        items += [{"name": name} | item for name in names]
    return items


def _whole(name: str, there: Any) -> bool:
    """Whether the API server would replace a list that has something in it, such as `dnsConfig.options`."""
    return bool(there) and name not in _MERGED


def _wrapped(content: Any, path: tuple[str | int, ...], change: Any) -> Any:
    """The change inside of what leads to it; None where an item on the way has no name to be found by."""
    for place in range(len(path) - 1, -1, -1):
        step = path[place]
        if isinstance(step, str):
            change = {step: change}
            continue
        name = dig(content, *path[: place + 1], "name")
        if not isinstance(name, str):
            return None
        change = [{"name": name} | change]
    return change


def _lists(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_lists(inner) for inner in value.values())
    return isinstance(value, list)
