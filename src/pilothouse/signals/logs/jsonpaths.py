"""Paths in JSON as the `json` parser's expressions write them: `a.b`, `list[0]`, `headers["User-Agent"]`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"""\.?(?P<name>[A-Za-z_][A-Za-z0-9_\-]*)|\[(?P<index>\d+)\]|\["(?P<key>(?:[^"\\]|\\.)*)"\]""")


class PathError(ValueError):
    """A path that is none."""


@lru_cache(1024)
def parse_path(text: str) -> tuple[str | int, ...]:
    """The steps: names and places."""
    steps: list[str | int] = []
    place = 0
    while place < len(text):
        found = _STEP.match(text, place)
        if not found or (not steps and found[0].startswith(".")) or (steps and found["name"] and found[0][0] != "."):
            raise PathError(f"unexpected {text[place]!r} at {place + 1}")
        if found["index"] is not None:
            steps.append(int(found["index"]))
        else:
            steps.append(found["name"] if found["name"] is not None else re.sub(r"\\(.)", r"\1", found["key"]))
        place = found.end()
    if not steps:
        raise PathError("it is empty")
    return tuple(steps)


def follow(document: Any, path: tuple[str | int, ...]) -> Any:
    """What is there; None when nothing is. Objects are lists of pairs: the first of two equal keys counts."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return None
            document = document[step]
        else:
            if not isinstance(document, dict) or step not in document:
                return None
            document = document[step]
    return document
