"""From what somebody sends to a mark."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pilothouse.releases.mark import Mark
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_moment

KINDS = ("release", "config")
_LONGEST = {"note": 4000, "url": 2000}
_FIELDS = ("service", "version", "at", "kind", "by", "environment", "commit", "url", "note")


def mark_from(body: Mapping[str, Any]) -> Mark:
    """The mark of a request's JSON; raises `BadRequestError` that names the field."""
    given: dict[str, Any] = {name: _text(body, name) for name in _FIELDS}
    for name in body:
        if name not in _FIELDS:
            raise BadRequestError(f"{name}: no such field; known are {', '.join(_FIELDS)}", name)
    for name in ("service", "version"):
        if not given[name]:
            raise BadRequestError(f"{name}: this field is needed", name)
    kind = given.pop("kind") or "release"
    if kind not in KINDS:
        raise BadRequestError(f"kind: {kind!r} is not {' or '.join(KINDS)}", "kind")
    if given["url"] and not given["url"].startswith(("http://", "https://")):
        raise BadRequestError("url: write an address that begins with https:// or http://", "url")
    now = time.time_ns()
    at = given.pop("at")
    return Mark(at=parse_moment(at, now, "at") if at else now, kind=kind, **given)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if isinstance(value, int | float) and not isinstance(value, bool) and name == "at":
        value = str(value)
    if not isinstance(value, str):
        raise BadRequestError(f"{name}: must be text", name)
    longest = _LONGEST.get(name, 255)
    if len(value) > longest:
        raise BadRequestError(f"{name}: is longer than {longest} characters", name)
    if "\0" in value:
        raise BadRequestError(f"{name}: must not contain NUL", name)
    return value.strip()
