"""Large groups are sorted one after the other, small ones all together: the quantiles are the same."""

from __future__ import annotations

import numpy as np
import pytest

from pilothouse.signals.metrics.promql import aggregating
from pilothouse.signals.metrics.promql.labels import labels_of


@pytest.mark.parametrize("groups", [1, 3])
def test_both_ways_find_the_same_quantiles(groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(2)
    values, present = chance.normal(size=(40, 30)), chance.random((40, 30)) < 0.7
    for odd in (np.nan, np.inf, -np.inf):
        values[chance.random(values.shape) < 0.05] = odd
    present[:, 0] = False
    grouped = aggregating.Groups([labels_of({"a": str(row % groups)}) for row in range(40)], ["a"], False)
    there = grouped.reduced(np.logical_or, present)
    for wanted in (chance.uniform(-0.1, 1.1, 30), np.full(30, 0.5), np.where(chance.random(30) < 0.3, np.nan, 0.9)):
        found = []
        for least in (8, 1000):
            monkeypatch.setattr(aggregating, "_LARGE_GROUPS", least)
            found.append(aggregating._quantiles(values, present, grouped, wanted)[there])
        np.testing.assert_array_equal(*found)
