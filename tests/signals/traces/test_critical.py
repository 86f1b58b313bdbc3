"""The critical path: what a trace's time consists of."""

from __future__ import annotations

import pytest

from pilothouse.signals.traces.critical import Timed, critical_path


def tree(*spans: tuple[str, str, int, int]) -> list[Timed]:
    return [Timed(*span) for span in spans]


@pytest.mark.parametrize(
    ("spans", "path"),
    [
        ([], ""),
        (tree(("a", "", 0, 10)), "a"),
        (tree(("a", "", 0, 10), ("b", "a", 1, 4), ("c", "a", 5, 9)), "abc"),
        (tree(("a", "", 0, 10), ("b", "a", 1, 8), ("c", "a", 1, 9)), "ac"),
        (tree(("a", "", 0, 10), ("b", "a", 0, 5), ("c", "a", 4, 9), ("d", "b", 1, 2)), "ac"),
        (tree(("a", "", 0, 10), ("b", "a", 2, 20)), "ab"),
        (tree(("b", "lost", 3, 9), ("a", "", 0, 10)), "a"),
        (tree(("a", "a", 0, 10), ("b", "a", 1, 9), ("c", "b", 2, 8)), "abc"),
    ],
)
def test_critical_path(spans: list[Timed], path: str) -> None:
    assert critical_path(spans) == set(path)
