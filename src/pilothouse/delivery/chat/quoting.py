"""Others' words in our own comments: they must not become markup, mention people, or begin a line."""

from __future__ import annotations

_TAKEN_OUT = frozenset("`<>@\n")
_LONGEST = 80


def quoted(text: str) -> str:
    """A text as it may stand between backquotes in a comment of ours."""
    return "".join(letter for letter in text if letter not in _TAKEN_OUT)[:_LONGEST]
