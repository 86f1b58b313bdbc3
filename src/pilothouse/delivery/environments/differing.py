"""The difference between two renderings, object by object, as a reviewer reads it."""

from __future__ import annotations

import difflib
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from pilothouse.hazards.changing import pairs
from pilothouse.kube import KubeObject

_CONTEXT = 2
# Forges take descriptions of 65,536 characters; the words around the difference want some too.
_LONGEST = 40_000


def difference(before: Sequence[KubeObject], after: Sequence[KubeObject], longest: int = _LONGEST) -> str:
    """A unified diff of the objects that differ; empty when none does. Secrets show that, not what, they changed."""
    parts: list[str] = []
    left = longest
    hidden = 0
    for old, new in pairs(before, after):
        lines = list(_lines(old, new))
        size = sum(len(line) + 1 for line in lines)
        if size > left:
            hidden += 1
            continue
        left -= size
        parts += lines
    if hidden:
        parts.append(f"# {hidden} more objects differ, too long to be shown here")
    return "\n".join(parts)


def changed_objects(before: Sequence[KubeObject], after: Sequence[KubeObject]) -> int:
    """How many objects differ."""
    return sum(1 for old, new in pairs(before, after) if not (old and new and old.content == new.content))


def _lines(old: KubeObject | None, new: KubeObject | None) -> Iterator[str]:
    if old is not None and new is not None and old.content == new.content:
        return
    known = new or old
    assert known is not None
    names = ("/dev/null" if old is None else str(known), "/dev/null" if new is None else str(known))
    yield from difflib.unified_diff(_written(old), _written(new), *names, lineterm="", n=_CONTEXT)


def _written(one: KubeObject | None) -> list[str]:
    if one is None:
        return []
    content = dict(one.content)
    if one.kind == "Secret":
        for part in ("data", "stringData"):
            content[part] = _masked(content.get(part))
    return str(yaml.dump(content, sort_keys=True, allow_unicode=True, width=10_000)).splitlines()


def _masked(values: Any) -> Any:
    """Each value as a digest that says whether it is another, and cannot be guessed back from a short password."""
    if not isinstance(values, dict):
        return values
    return {name: f"(hidden, {_digest(value)})" for name, value in values.items()}


def _digest(value: Any) -> str:
    return hashlib.blake2b(str(value).encode(), key=_KEY, digest_size=4).hexdigest()


# Of this process only: a digest without a key would be a dictionary away from the secret.
_KEY = secrets.token_bytes(32)
