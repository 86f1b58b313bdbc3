"""What became of a batch that failed: who was in it, what failed, and what its parts showed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What is told of a part: that its tests began says nothing that their end does not.
_TOLD = ("red", "conflict", "green", "tested", "merged", "out")
_WORDS = {"red": "red", "conflict": "do not go together", "green": "green", "tested": "green", "merged": "merged",
          "out": "put out"}  # fmt: skip
_MOST = 12


def of_batch(history: Sequence[dict[str, Any]], number: int) -> tuple[dict[str, Any], ...]:
    """The last failed batch with a pull request in it, then what its parts showed, oldest first; empty without one.

    `history` are the pool's entries, oldest first. Each answer has `at`, `what`, `changes`, `run` and `words`.
    """
    failed = [
        place for place, one in enumerate(history)
        if one["what"] in ("red", "conflict") and number in one["changes"] and len(one["changes"]) > 1
    ]  # fmt: skip
    if not failed:
        return ()
    begin = _widest(history, failed)
    members = set(history[begin]["changes"])
    parts = [
        one for one in history[begin:] if one["what"] in _TOLD and one["changes"] and members >= set(one["changes"])
    ]
    return tuple({**one, "words": _words(one)} for one in parts[:_MOST])


def _widest(history: Sequence[dict[str, Any]], failed: list[int]) -> int:
    """Where the batch begins that the last failure is a part of."""
    begin = failed[-1]
    for place in reversed(failed[:-1]):
        if set(history[place]["changes"]) > set(history[begin]["changes"]):
            begin = place
        else:
            break
    return begin


def _words(one: dict[str, Any]) -> str:
    who = ", ".join(f"#{number}" for number in one["changes"])
    together = " together" if len(one["changes"]) > 1 else ""
    said = f": {one['words']}" if one["words"] and one["what"] not in ("merged", "green", "tested") else ""
    return f"{who}{together}: {_WORDS[one['what']]}{said}"
