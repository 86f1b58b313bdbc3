"""Kayenta's arithmetic on worked examples: its own test suite's, and what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pilothouse.releases.statistics.kayenta import classify, cles, mean_ratio, wilcoxon

CONTROL = np.array([1.0, 2.0, 3.0, 4.0])
EXPERIMENT = np.array([10.0, 20.0, 30.0, 40.0])


def test_the_example_of_its_own_suite() -> None:
    """`MannWhitneySuite` (kayenta-mannwhitney): confidence 0.95, interval 6 to 39, estimate 22.5."""
    found = wilcoxon(EXPERIMENT, CONTROL, 0.95)
    assert found.low == pytest.approx(6.0, abs=1e-3)
    assert found.high == pytest.approx(39.0, abs=1e-3)
    assert found.estimate == pytest.approx(22.5, abs=5.0)
    assert found.low < found.estimate < found.high


def test_at_its_usual_confidence_four_values_bound_nothing() -> None:
    """Sixteen of sixteen pairs are above: z = (16 - 8 - 0.5) / sqrt(12) = 2.165, which is less than 2.326."""
    found = wilcoxon(EXPERIMENT, CONTROL)
    assert (found.low, found.high) == (6.0, 39.0), "the smallest and the largest difference"


def test_the_estimate_is_the_median_of_all_differences() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(10, 2, 60), random.normal(9, 2, 50)
    differences = np.sort((one[:, None] - other).ravel())
    found = wilcoxon(one, other)
    assert found.estimate == pytest.approx(float(np.median(differences)), abs=0.02)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_what_the_test_does_not_reject(seed: int) -> None:
    from scipy.stats import mannwhitneyu  # takes a second, and each process collects this file

    """At its ends the two-sided p-value of SciPy's own test (with correction, ties) is 0.02."""
    random = np.random.default_rng(seed)
    one, other = np.round(random.normal(10, 2, 40), 1), np.round(random.normal(10, 2, 30), 1)
    found = wilcoxon(one, other)
    for end in (found.low, found.high):
        around = [
            mannwhitneyu(one - (end + step), other, method="asymptotic", use_continuity=True).pvalue
            for step in (-0.06, 0.06)
        ]
        assert min(around) <= 0.02 + 0.002
        assert max(around) >= 0.02 - 0.002


def test_effect_sizes() -> None:
    assert mean_ratio(EXPERIMENT, CONTROL) == 10.0
    assert np.isnan(mean_ratio(EXPERIMENT, np.zeros(4)))
    assert cles(EXPERIMENT, CONTROL) == 1.0
    assert cles(CONTROL, EXPERIMENT) == 0.0
    assert cles(CONTROL, CONTROL) == 0.5
    assert cles(np.array([1.0, 5.0]), np.array([2.0, 3.0])) == 0.5


def test_classification() -> None:
    random = np.random.default_rng(2)
    control = random.normal(100, 5, 60)
    higher, lower, same = control * 1.2, control * 0.8, random.normal(100, 5, 60)
    assert [classify(one, control) for one in (higher, lower, same)] == ["High", "Low", "Pass"]
    assert classify(higher, control, "decrease") == "Pass"
    assert classify(lower, control, "increase") == "Pass"
    assert classify(higher, control, allowed=(1.5, 1.0)) == "Pass", "less than the effect that is allowed"
    assert classify(higher, control, allowed=(0.9, 0.5), effect="cles") == "High"
    assert classify(np.array([]), control) == "Nodata"
    assert classify(control, control) == "Pass"
    assert classify(np.full(10, 5.0), np.full(10, 4.0)) == "High", "both constant"
    assert classify(np.array([np.nan, 5.0, 6.0]), np.array([np.nan])) == "Nodata"


def test_the_tolerance_is_a_quarter_of_the_estimate() -> None:
    """A shift whose interval comes nearer to nothing than a quarter of it passes."""
    random = np.random.default_rng(3)
    control, experiment = random.normal(100, 10, 30), random.normal(106, 10, 30)
    found = wilcoxon(experiment, control)
    assert 0 < found.low < 0.25 * found.estimate or found.low <= 0
    assert classify(experiment, control) == "Pass"
