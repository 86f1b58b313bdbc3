"""Mann-Whitney U with a tolerance, as Kayenta judges a metric, and the two effect sizes it knows; Wilcoxon for pairs.

Kayenta takes the confidence interval (0.98) of the Hodges-Lehmann shift and calls a metric high when the whole
interval lies above 0.25 times the shift's size (kayenta-judge, MannWhitneyClassifier).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from pilothouse.releases.statistics.estimate import Floats

CONFIDENCE = 0.98
TOLERANCE = 0.25
_MOST_VALUES = 2000


@dataclass(frozen=True, slots=True)
class Shift:
    """The Hodges-Lehmann shift of the experiment against the control, with its confidence interval.

    `ratio` is the ratio of means (1 is no effect), `superiority` the probability that a value of the experiment is
    above one of the control (CLES, 0.5 is no effect).
    """

    estimate: float
    low: float
    high: float
    ratio: float
    superiority: float

    @property
    def direction(self) -> int:
        """1 when the experiment is high, -1 when it is low, 0 when it passes (Kayenta's tolerance)."""
        allowed = TOLERANCE * abs(self.estimate)
        return 1 if self.low > allowed else -1 if self.high < -allowed else 0


def mann_whitney(control: Floats, experiment: Floats, confidence: float = CONFIDENCE) -> Shift | None:
    """The shift between two sets of values; None when one of them is empty."""
    one, other = _thinned(control), _thinned(experiment)
    if not len(one) or not len(other):
        return None
    differences = np.sort((other[:, None] - one[None, :]).ravel())
    low, high = _limits(differences, len(one), len(other), confidence)
    above = float(np.count_nonzero(differences > 0) + np.count_nonzero(differences == 0) / 2)
    middle = float(one.mean())
    return Shift(
        estimate=float(np.median(differences)),
        low=low,
        high=high,
        ratio=float(other.mean()) / middle if middle else float("nan"),
        superiority=above / len(differences),
    )


def direction_of_pairs(differences: Floats, confidence: float = CONFIDENCE) -> int:
    """1 where what was measured in pairs rose, -1 where it fell, 0 where that is not sure; with the same tolerance.

    The median of the means of any two differences, with the interval of Wilcoxon's signed ranks: what hit both of a
    pair, as a busy minute hits both versions, is out of it.
    """
    values = _thinned(differences)
    count = len(values)
    if count == 0:
        return 0
    means = np.sort(((values[:, None] + values[None, :]) / 2)[np.triu_indices(count)])
    centre, deviation = count * (count + 1) / 4, np.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    low, high = _between(means, centre, deviation, confidence)
    allowed = TOLERANCE * abs(float(np.median(means)))
    return 1 if low > allowed else -1 if high < -allowed else 0


def _limits(differences: Floats, one: int, other: int, confidence: float) -> tuple[float, float]:
    """The order statistics of all pairwise differences that bound the shift (normal approximation)."""
    return _between(differences, one * other / 2, np.sqrt(one * other * (one + other + 1) / 12), confidence)


def _between(differences: Floats, centre: float, deviation: float, confidence: float) -> tuple[float, float]:
    cut = round(centre - float(ndtri(0.5 + confidence / 2)) * deviation)
    if cut < 1:
        return -np.inf, np.inf
    return float(differences[cut - 1]), float(differences[len(differences) - cut])


def _thinned(values: Floats) -> Floats:
    finite = values[np.isfinite(values)]
    return finite[:: -(-len(finite) // _MOST_VALUES)] if len(finite) else finite
