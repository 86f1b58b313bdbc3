"""What the judge promises, on simulated releases: few false alarms, and regressions found.

`bench/releases` does the same with hundreds of comparisons and writes the tables down.
"""

from __future__ import annotations

import pytest

from bench.releases.measuring import outcome
from bench.releases.simulating import DEMO, QUARTER, Planted


def test_the_same_version_is_not_worse_than_itself() -> None:
    """With a false alarm in a hundred, two or more in 16 would come up once in a hundred runs."""
    few, many = outcome(DEMO, 10, seed=5), outcome(QUARTER, 6, seed=6)
    assert few.worse + many.worse <= 1


@pytest.mark.parametrize(
    ("planted", "cause"),
    [
        (Planted(latency=3.0), "GET /0"),
        (Planted(memory=0.6), "process.memory.usage"),
        (Planted(function_cpu=1.0), "leaf_0_0_0"),
        (Planted(pattern=0.1), "planted"),
        (Planted(errors=0.2), "GET /0"),
    ],
)
def test_a_blatant_regression_is_found_and_named(planted: Planted, cause: str) -> None:
    found = outcome(QUARTER, 2, planted, cause, seed=7)
    assert found.worse == 2
    assert found.named >= 1


def test_a_refactoring_is_not_a_regression() -> None:
    assert outcome(QUARTER, 4, Planted(refactored=0.8), seed=8).worse == 0
