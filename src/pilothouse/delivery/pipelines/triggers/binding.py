"""Bindings and templates: from an event to parameters, from parameters to objects."""

from __future__ import annotations

import json
import re
from typing import Any

from pilothouse.delivery.pipelines import naming
from pilothouse.delivery.pipelines.triggers.event import Event, TriggerError, written

_EXPRESSION = re.compile(r"\$\(([^()]+)\)")
_PARAM = re.compile(r"\$\(tt\.params\.([A-Za-z0-9_.-]+)\)")


def params(entries: list[dict[str, Any]], event: Event) -> dict[str, str]:
    """The parameters of a TriggerBinding. Raises `TriggerError` for a path that the event does not have."""
    return {one["name"]: _value(one["name"], str(one.get("value", "")), event) for one in entries}


def _value(name: str, text: str, event: Event) -> str:
    def one(found: re.Match[str]) -> str:
        path = found[1].strip()
        if not path.startswith(("body", "header", "extensions", "context")):
            return found[0]
        try:
            return written(event.find(path))
        except (KeyError, IndexError, TypeError):
            raise TriggerError(f"binding {name}: the event has no {path}", 202) from None

    return _EXPRESSION.sub(one, text)


def resources(spec: dict[str, Any], given: dict[str, str], labels: dict[str, str]) -> list[dict[str, Any]]:
    """The objects of a TriggerTemplate with its parameters filled in. Raises `TriggerError`.

    A value never changes the form of an object: it is put into texts, not into YAML.
    """
    known = {one["name"]: one["default"] for one in spec.get("params") or [] if one.get("default") is not None}
    known |= given
    lacking = [one["name"] for one in spec.get("params") or [] if one["name"] not in known]
    if lacking:
        raise TriggerError(f"the template needs {', '.join(lacking)}, which no binding gives", 202)
    known["uid"] = naming.uid()
    found = []
    for one in spec.get("resourcetemplates") or []:
        body = _filled(one, known)
        meta = body.setdefault("metadata", {})
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
        found.append(body)
    return found


def _filled(tree: Any, known: dict[str, str]) -> Any:
    if isinstance(tree, str):
        whole = _PARAM.fullmatch(tree)
        if whole and whole[1] in known:
            return _typed(known[whole[1]])
        text = _PARAM.sub(lambda found: str(known.get(found[1], found[0])), tree)
        return text.replace("$(uid)", known["uid"])
    if isinstance(tree, dict):
        return {key: _filled(inner, known) for key, inner in tree.items()}
    return [_filled(inner, known) for inner in tree] if isinstance(tree, list) else tree


def _typed(text: str) -> Any:
    """A parameter that is an array or object in JSON is one; all else stays a text."""
    if text[:1] in ("[", "{"):
        try:
            loaded = json.loads(text)
        except ValueError:
            return text
        return loaded if _flat(loaded) else text
    return text


def _flat(value: Any) -> bool:
    inner = value if isinstance(value, list) else list(value.values())
    return all(isinstance(one, str) for one in inner)
