"""A difference between two sides, and how well it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]

POWER = 0.8
"""The probability with which the smallest effect that is reported would have been found."""


def relative(logarithm: float) -> float:
    """A difference of logarithms as a relative change; what is beyond all measure stays finite."""
    return math.expm1(min(max(logarithm, -50.0), 50.0))


@dataclass(frozen=True, slots=True)
class Estimate:
    """`difference` (candidate minus baseline, of logarithms or plain), its standard error, degrees of freedom."""

    difference: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Two-sided, against no difference (Student's t)."""
        if self.error <= 0 or not np.isfinite(self.error):
            return 1.0
        return float(2 * stdtr(self.freedom, -abs(self.difference) / self.error))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The confidence interval of the difference."""
        reach = float(stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        return self.difference - reach, self.difference + reach

    def smallest(self, p_value: float, power: float = POWER) -> float:
        """The difference that a test at `p_value` would have found with this power."""
        return float(stdtrit(self.freedom, 1 - p_value / 2) + stdtrit(self.freedom, power)) * self.error

    def below(self, margin: float) -> float:
        """How sure it is that the true difference is less than `margin`."""
        if self.error <= 0 or not np.isfinite(self.error):
            return 0.0
        return float(stdtr(self.freedom, (margin - self.difference) / self.error))

    def widened(self, variance: float, freedom: float) -> Estimate:
        """With one more independent source of variance, the freedom by Welch and Satterthwaite."""
        total = self.error**2 + variance
        if variance <= 0:
            return self
        share = self.error**4 / max(self.freedom, 1e-9) + variance**2 / freedom
        return Estimate(self.difference, float(np.sqrt(total)), float(total**2 / share))
