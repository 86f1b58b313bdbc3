"""The gateway's split of the traffic."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.demo.shop.splitting import Backend, Split


def test_even_weights_alternate() -> None:
    split = Split([Backend("a", 1), Backend("b", 1)])
    assert [split.next() for _ in range(6)] == ["a", "b"] * 3


def test_shares_are_spread_evenly() -> None:
    split = Split([Backend("a", 5), Backend("b", 1), Backend("c", 1)])
    assert "".join(split.next() for _ in range(7)) == "aabacaa"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any))
def test_each_gets_its_share(weights: list[int]) -> None:
    split = Split([Backend(str(index), weight) for index, weight in enumerate(weights)])
    served = Counter(split.next() for _ in range(2 * sum(weights)))
    assert served == {str(index): 2 * weight for index, weight in enumerate(weights) if weight}


@pytest.mark.parametrize("backends", [[], [Backend("a", 0)], [Backend("a", -1)]])
def test_a_split_over_nothing_is_refused(backends: list[Backend]) -> None:
    with pytest.raises(ValueError, match="positive weight"):
        Split(backends)
