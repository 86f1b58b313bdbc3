"""The story of a batch that failed, told from the pool's history."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.delivery.acting.batches import of_batch


def entry(what: str, *changes: int, words: str = "") -> dict[str, Any]:
    return {"at": 1.0, "what": what, "changes": list(changes), "words": words, "run": ""}


HISTORY = [
    entry("red", 8, 9, words="old: 1 failed"), entry("moved", words="main is at 1234 now"),
    entry("testing", 1, 2, 3, 4), entry("red", 1, 2, 3, 4, words="unit: 2 failed"),
    entry("testing", 1, 2), entry("red", 1, 2, words="unit: 1 failed"), entry("green", 1, words="on 1234"),
    entry("merged", 1, words="main is at 5678 now"), entry("out", 2, words="its tests fail"),
    entry("testing", 3, 4, 5), entry("green", 3, 4, 5), entry("conflict", 6, 7, words="it conflicts in a"),
]  # fmt: skip
STORY = (
    "#1, #2, #3, #4 together: red: unit: 2 failed", "#1, #2 together: red: unit: 1 failed", "#1: green",
    "#1: merged", "#2: put out: its tests fail",
)  # fmt: skip


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (2, STORY), (3, STORY), (5, ()), (42, ()), (6, ("#6, #7 together: do not go together: it conflicts in a",)),
        (9, ("#8, #9 together: red: old: 1 failed",)),
    ],
)  # fmt: skip
def test_what_became_of_it(number: int, told: tuple[str, ...]) -> None:
    assert tuple(one["words"] for one in of_batch(HISTORY, number)) == told
