"""The critical path: what a trace's time consists of."""

from __future__ import annotations

import pytest

from pilothouse.signals.traces.bounding import telling
from pilothouse.signals.traces.critical import Timed, critical_path, critical_times
from pilothouse.signals.traces.forests import Leaf


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


@pytest.mark.parametrize(
    ("spans", "times"),
    [
        (tree(("a", "", 0, 10), ("b", "a", 1, 4), ("c", "a", 5, 9)), {"a": 3, "b": 3, "c": 4}),
        (tree(("a", "", 0, 10), ("b", "a", 1, 8), ("c", "a", 1, 9)), {"a": 2, "c": 8}),
        # Beyond its parent's end, and before its beginning (clocks differ), nobody waits for a child.
        (tree(("a", "", 5, 10), ("b", "a", 2, 20)), {"a": 0, "b": 5}),
        (tree(("a", "", 0, 10), ("b", "a", 0, 10), ("c", "b", 3, 7)), {"a": 0, "b": 6, "c": 4}),
    ],
)
def test_the_times_add_up_to_the_root_s(spans: list[Timed], times: dict[str, int]) -> None:
    assert critical_times(spans) == times
    root = spans[0]
    assert sum(times.values()) == root.end - root.start


def test_a_path_within_a_tree() -> None:
    spans = tree(("a", "", 0, 10), ("b", "a", 1, 8), ("c", "b", 2, 5))
    assert critical_times(spans, "b") == {"b": 4, "c": 3}


def test_of_a_very_large_trace_the_telling_spans_are_shown() -> None:
    spans = [Leaf(Timed("root", "", 0, 10_000), 1, "root", 2, False)]
    for number in range(1, 100_000):
        parent = "root" if number < 100 else f"s{number // 100}"
        spans.append(Leaf(Timed(f"s{number}", parent, number % 90, number % 90 + 5), 1, "s", 1, number % 30_000 == 7))
    spans.append(Leaf(Timed("slow", "s999", 9_000, 9_990), 1, "s", 1, False))
    kept = telling(spans, 500)
    assert len(kept) == 500
    assert kept >= {"root", *(f"s{number}" for number in range(1, 100)), "s30007", "s60007", "s90007"}
    assert kept >= critical_path([leaf.timed for leaf in spans])
    above = {leaf.timed.span_id: leaf.timed.parent for leaf in spans}
    assert all(above[one] in kept or not above[one] for one in kept)
    assert telling([Leaf(Timed("a", "b", 0, 1), 1, "", 1, True), Leaf(Timed("b", "a", 0, 1), 1, "", 1, True)], 1) <= {
        "a"
    }
