"""Reading the JSON of a forge strictly: what is not as documented is refused with the field's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pilothouse.delivery.forges.errors import ForgeError

_DEEPEST = 100


class ShapeError(ForgeError, ValueError):
    """A document that is not of the documented shape; the message names the field."""


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON object and where it stands (`pull_request.head`), to read fields from."""

    value: dict[str, Any]
    path: str = ""

    def __contains__(self, name: str) -> bool:
        return self.value.get(name) is not None

    def at(self, name: str) -> str:
        """Where a field stands."""
        return f"{self.path}.{name}" if self.path else name

    def node(self, name: str) -> Node:
        """A field that must be an object."""
        found = self.value.get(name)
        if not isinstance(found, dict):
            raise ShapeError(f"{self.at(name)}: must be an object, is {_said(found)}")
        return Node(found, self.at(name))

    def maybe(self, name: str) -> Node | None:
        """A field that may be null or missing, else must be an object."""
        return self.node(name) if name in self else None

    def text(self, name: str, default: str | None = None) -> str:
        """A field that must be text; with a default it may be null or missing."""
        found = self.value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            raise ShapeError(f"{self.at(name)}: must be text, is {_said(found)}")
        return found

    def number(self, name: str, default: int | None = None) -> int:
        """A field that must be a whole number of at least 0; with a default it may be null or missing."""
        found = self.value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**63:
            raise ShapeError(f"{self.at(name)}: must be a whole number, is {_said(found)}")
        return found

    def flag(self, name: str, default: bool | None = None) -> bool:
        """A field that must be true or false; with a default it may be null or missing."""
        found = self.value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, bool):
            raise ShapeError(f"{self.at(name)}: must be true or false, is {_said(found)}")
        return found

    def moment(self, name: str) -> float:
        """A time as ISO 8601, in seconds since the epoch; 0 where there is none."""
        text = self.text(name, "")
        if not text:
            return 0.0
        try:
            # GitLab's webhooks write `2026-01-02 03:04:05 UTC`.
            return datetime.fromisoformat(text.replace(" UTC", "+00:00").replace("Z", "+00:00")).timestamp()
        except (ValueError, OverflowError):
            raise ShapeError(f"{self.at(name)}: {text[:40]!r} is not a time") from None

    def nodes(self, name: str) -> Iterator[Node]:
        """A field that may be null or missing, else must be a list of objects."""
        for place, one in enumerate(self.items(name)):
            if not isinstance(one, dict):
                raise ShapeError(f"{self.at(name)}[{place}]: must be an object, is {_said(one)}")
            yield Node(one, f"{self.at(name)}[{place}]")

    def items(self, name: str) -> list[Any]:
        """A field that may be null or missing, else must be a list."""
        found = self.value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise ShapeError(f"{self.at(name)}: must be a list, is {_said(found)}")
        return found

    def texts(self, name: str, field: str) -> tuple[str, ...]:
        """One text field of each object of a list: the logins of users."""
        return tuple(one.text(field) for one in self.nodes(name))


def document(raw: bytes) -> Node:
    """A body that must be one JSON object. Raises `ShapeError`, also for nesting that no forge sends."""
    try:
        found = json.loads(raw)
    except RecursionError:
        raise ShapeError("the body is nested too deep") from None
    except ValueError as error:
        raise ShapeError(f"the body is not JSON: {str(error)[:120]}") from None
    if not isinstance(found, dict):
        raise ShapeError(f"the body: must be an object, is {_said(found)}")
    if _depth(found) > _DEEPEST:
        raise ShapeError(f"the body is nested deeper than {_DEEPEST} levels")
    return Node(found)


def one(found: Any, path: str = "answer") -> Node:
    """An answer that must be an object. Raises `ShapeError`."""
    if not isinstance(found, dict):
        raise ShapeError(f"{path}: must be an object, is {_said(found)}")
    return Node(found, path)


def many(found: Any, path: str = "answer") -> Iterator[Node]:
    """An answer that must be a list of objects. Raises `ShapeError`."""
    if not isinstance(found, list):
        raise ShapeError(f"{path}: must be a list, is {_said(found)}")
    for place, item in enumerate(found):
        yield one(item, f"{path}[{place}]")


def _depth(value: Any) -> int:
    """Level by level, so that a document cannot exhaust the stack."""
    levels, here = 0, [value]
    while here and levels <= _DEEPEST:
        levels += 1
        here = [
            item
            for one in here
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
    return levels


def _said(found: Any) -> str:
    if found is None:
        return "missing"
    names: dict[type, str] = {dict: "an object", list: "a list", str: "text", bool: "a truth value"}
    return names.get(type(found), "a number")
