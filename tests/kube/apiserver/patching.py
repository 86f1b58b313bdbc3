"""JSON patch, JSON merge patch, strategic merge patch, and server-side apply, over plain dictionaries."""

from __future__ import annotations

import copy
from typing import Any

# The fields that identify an item of a list (`patchMergeKey` in Kubernetes' types).
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "ephemeralContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "ports": "containerPort", "imagePullSecrets": "name", "conditions": "type",
    "ownerReferences": "uid", "hostAliases": "ip", "topologySpreadConstraints": "topologyKey", "addresses": "type",
    "webhooks": "name", "secrets": "name", "taints": "key",
}  # fmt: skip


class ConflictError(Exception):
    """Server-side apply: another manager owns fields (`fields`, as kubectl shows them)."""

    def __init__(self, owners: dict[str, list[str]]) -> None:
        super().__init__(str(owners))
        self.owners = owners


def merge_key(name: str, items: list[Any]) -> str | None:
    """What identifies the items of a list, when all have it (a Service's ports go by `port`)."""
    candidates = [MERGE_KEYS.get(name), "port" if name == "ports" else None]
    for key in candidates:
        if key and items and all(isinstance(item, dict) and key in item for item in items):
            return key
    return None


def merge(target: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return change
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge(made.get(name), value)
    return made


def strategic(target: Any, change: Any, name: str = "") -> Any:
    """Maps by key, lists by merge key, with `$patch: delete` and `$deleteFromPrimitiveList`; the rest replaces."""
    if isinstance(change, dict):
        if change.get("$patch") == "replace":
            return {key: value for key, value in change.items() if key != "$patch"}
        made = dict(target) if isinstance(target, dict) else {}
        for key, value in change.items():
            if key.startswith(("$setElementOrder", "$retainKeys")):
                continue
            if key.startswith("$deleteFromPrimitiveList/"):
                field = key.partition("/")[2]
                made[field] = [item for item in made.get(field, []) if item not in value]
            elif value is None:
                made.pop(key, None)
            else:
                made[key] = strategic(made.get(key), value, key)
        return made
    if isinstance(change, list):
        return _strategic_list(target if isinstance(target, list) else [], change, name)
    return change


def _strategic_list(target: list[Any], change: list[Any], name: str) -> list[Any]:
    key = merge_key(name, change) if change else None
    if not key:
        return change
    made = {item.get(key): item for item in target if isinstance(item, dict)}
    for item in change:
        if item.get("$patch") == "delete":
            made.pop(item[key], None)
        else:
            made[item[key]] = strategic(made.get(item[key], {}), item)
    return list(made.values())


def json_patch(target: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902: add, remove, replace, test."""
    made = copy.deepcopy(target)
    for one in operations:
        *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in one["path"].split("/")[1:]]
        place = made
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            index = len(place) if last == "-" else int(last)
            if one["op"] in ("remove", "replace"):
                del place[index]
            if one["op"] in ("add", "replace"):
                place.insert(index, one["value"])
        elif one["op"] == "test":
            if place.get(last) != one["value"]:
                raise ValueError(f"test failed at {one['path']}")
        elif one["op"] == "remove":
            del place[last]
        else:
            place[last] = one["value"]
    return made


def owned(content: Any, name: str = "") -> dict[str, Any]:
    """The `fieldsV1` set of what is written in an applied configuration."""
    fields: dict[str, Any] = {}
    if isinstance(content, dict):
        for key, value in content.items():
            fields[f"f:{key}"] = owned(value, key)
    elif isinstance(content, list) and (key := merge_key(name, content)):
        for item in content:
            value = f'"{item[key]}"' if isinstance(item[key], str) else item[key]
            fields[f'k:{{"{key}":{value}}}'] = owned(item)
    return fields


def apply(target: dict[str, Any], applied: dict[str, Any], manager: str, force: bool) -> dict[str, Any]:
    """Server-side apply: merge, drop what this manager owned and no longer writes, refuse what others own."""
    entries = list((target.get("metadata") or {}).get("managedFields") or [])
    mine = next((one for one in entries if one["manager"] == manager and one["operation"] == "Apply"), None)
    others = [one for one in entries if one is not mine]
    fields = owned({key: value for key, value in applied.items() if key not in ("apiVersion", "kind", "metadata")})
    conflicts: dict[str, list[str]] = {}
    for entry in others:
        clashing = [path for path in _paths(fields) if path in _paths(entry["fieldsV1"])]
        changed = [path for path in clashing if _at(target, path) != _at(applied, path)]
        if changed:
            conflicts[entry["manager"]] = [_shown(path) for path in changed]
    if conflicts and not force:
        raise ConflictError(conflicts)
    others = copy.deepcopy(others)
    for entry in others:
        for path in _paths(fields) if force else ():
            if _at(target, path) != _at(applied, path):
                _disown(entry["fieldsV1"], path)
    made: dict[str, Any] = strategic(copy.deepcopy(target), applied)
    kept = {path for entry in others for path in _paths(entry["fieldsV1"])}
    for path in _paths((mine or {}).get("fieldsV1") or {}):
        if path not in _paths(fields) and path not in kept:
            _remove(made, path)
    entry = {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}
    made.setdefault("metadata", {})["managedFields"] = [*others, entry]
    return made


def take_over(before: dict[str, Any], after: dict[str, Any], manager: str) -> None:
    """An update (not an apply): fields whose value it changed are its manager's from now on, and nobody else's."""
    entries = copy.deepcopy((before.get("metadata") or {}).get("managedFields") or [])
    fields = owned(
        {key: value for key, value in after.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    )
    changed = [path for path in _paths(fields) if _at(before, path) != _at(after, path)]
    if not entries or not changed:
        return
    for entry in entries:
        for path in changed:
            _disown(entry["fieldsV1"], path)
    mine = next((one for one in entries if one["manager"] == manager and one["operation"] == "Update"), None)
    if mine is None:
        mine = {"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {}}
        entries.append(mine)
    for path in changed:
        place = mine["fieldsV1"]
        for step in path:
            place = place.setdefault(step, {})
    after.setdefault("metadata", {})["managedFields"] = entries


def _disown(fields: dict[str, Any], path: tuple[str, ...]) -> None:
    *above, last = path
    for step in above:
        fields = fields.get(step) or {}
    fields.pop(last, None)


def _paths(fields: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The leaves of a field set."""
    found = []
    for step, below in fields.items():
        if step != ".":
            found += _paths(below, (*above, step)) or [(*above, step)]
    return found


def _find(place: Any, step: str) -> Any:
    if step.startswith("f:"):
        return place.get(step[2:]) if isinstance(place, dict) else None
    key, _, value = step[3:-1].partition(":")
    return next(
        (one for one in place or [] if str(one.get(key.strip('"'))) == value.strip('"')), None
    )  # fmt: skip


def _at(content: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        content = _find(content, step)
        if content is None:
            return None
    return content


def _remove(content: Any, path: tuple[str, ...]) -> None:
    place = _at(content, path[:-1])
    last = path[-1]
    if isinstance(place, dict):
        place.pop(last[2:], None)
    elif isinstance(place, list) and (item := _find(place, last)) is not None:
        place.remove(item)


def _shown(path: tuple[str, ...]) -> str:
    return "".join(f".{step[2:]}" if step.startswith("f:") else f"[{step[3:-1]}]" for step in path)
