"""Selectors as query parameters write them: `app=web,tier!=x,env in (a,b),!old`, `metadata.name=web`."""

from __future__ import annotations

import re
from typing import Any

from pilothouse.kube.objects import dig

_SET = re.compile(r"^([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)$")


def labels_match(selector: str, labels: dict[str, str]) -> bool:
    return all(_one(part.strip(), labels) for part in re.split(r",(?![^(]*\))", selector) if part.strip())


def _one(part: str, labels: dict[str, str]) -> bool:
    if found := _SET.match(part):
        name, operator, values = found.groups()
        inside = labels.get(name) in [value.strip() for value in values.split(",")]
        return inside if operator == "in" else not inside
    if "!=" in part:
        name, _, value = part.partition("!=")
        return labels.get(name.strip()) != value.strip()
    if "=" in part:
        name, _, value = part.replace("==", "=").partition("=")
        return labels.get(name.strip()) == value.strip()
    return part[1:] not in labels if part.startswith("!") else part in labels


def fields_match(selector: str, content: Any) -> bool:
    for part in filter(None, selector.split(",")):
        negative = "!=" in part
        path, _, value = part.replace("==", "=").replace("!=", "=").partition("=")
        same = str(dig(content, *path.split(".")) or "") == value
        if same == negative:
            return False
    return True
