"""Globs of paths and branches as Pipelines-as-Code reads them: a star also goes over slashes (gobwas/glob)."""

from __future__ import annotations

import functools
import re
from typing import Any

import re2


def matches(pattern: str, text: str) -> bool:
    """Whether a glob is all of a text. Raises `ValueError` for a pattern that is none."""
    return bool(_compiled(pattern).fullmatch(text))


def branch_matches(pattern: str, branch: str) -> bool:
    """Whether a pattern, as `main`, `release-*` or `refs/heads/*`, is for a branch (or for a tag's full ref)."""
    if pattern.startswith("refs/"):
        return matches(pattern, branch if branch.startswith("refs/") else f"refs/heads/{branch}")
    return matches(pattern, branch.removeprefix("refs/heads/"))


@functools.lru_cache(512)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(_expression(pattern))
    except re2.error as error:
        raise ValueError(f"{pattern!r} is not a glob: {error}") from None


def _expression(pattern: str) -> str:
    found, place, depth = [], 0, 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "*":
            found.append(".*")
        elif letter == "?":
            found.append(".")
        elif letter == "\\" and place + 1 < len(pattern):
            place += 1
            found.append(re.escape(pattern[place]))
        elif letter == "[" and (end := pattern.find("]", place + 2)) > 0:
            inner = pattern[place + 1 : end]
            found.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
            place = end
        elif letter == "{":
            depth += 1
            found.append("(?:")
        elif letter == "}" and depth:
            depth -= 1
            found.append(")")
        elif letter == "," and depth:
            found.append("|")
        else:
            found.append(re.escape(letter))
        place += 1
    return "(?s:" + "".join(found) + ")"
