"""The story of a batch that failed, told from the pool's history."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.delivery.acting.batches import of_batch
from pilothouse.delivery.acting.explaining import Explaining


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


_UNTAKEN = "it is being merged; the forge has not taken it yet: git: protected branch"
_REFUSED = "it was tested, and the forge did not merge it: git: protected branch; say /retest to try again"


@pytest.mark.parametrize(
    ("merging", "what", "words"),
    [
        ([7], "not taken", _UNTAKEN),
        ([7], "green", "it is being merged"),
        ([], "not merged", _REFUSED),
        ([], "merged", ""),
    ],
)
def test_why_says_what_a_forge_says_of_the_merge(merging: list[int], what: str, words: str) -> None:
    history = [{"what": what, "changes": [7], "words": "git:\n  protected branch"}]
    pool = {"queue": [], "out": [], "merging": merging, "testing": [], "history": history}
    assert Explaining._standing(None, pool, 7, "h")["words"] == words  # type: ignore[arg-type]
