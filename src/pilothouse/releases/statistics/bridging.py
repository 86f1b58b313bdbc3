"""What unequal traffic makes of a cost per request, from how the cost goes with the traffic on both sides.

Between two levels of traffic a cost per request changes by the integral of (1 - elasticity) over the logarithm of the
traffic, whatever the cost's form. Both ends of it are read from the sides' own ups and downs, and the integral is taken
by the trapezoid rule. It is exact for costs that go with a power of the traffic. For those with a fixed and a
proportional part 1 - elasticity is a logistic curve, whose second derivative is at most 1 / (6 * sqrt(3)), and that
bounds what the rule is off by: 3 % at a fifth of the traffic, 24 % at a twentieth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from pilothouse.releases.statistics.estimate import Floats
from pilothouse.releases.statistics.following import Elasticity

# How much an elasticity is taken to be off by: traffic is not counted without error, and lies under a part of the time.
_SLACK = 0.03
_BEND = 1 / (12 * 6 * 3**0.5)


@dataclass(frozen=True, slots=True)
class Bridge:
    """The logarithm [n] of what the traffic makes of each cost per request, its standard error and degrees of freedom.

    `slack` is by how much more the logarithm may be off. NaN where either side says nothing.
    """

    made: Floats
    error: Floats
    freedom: Floats
    slack: float

    def p_values(self, change: Floats, error: Floats, freedom: Floats) -> Floats:
        """Two-sided p-values [n] that a change (logarithm, its error and freedom) is no more than the traffic makes.

        Traffic that works against a change is not counted for it: what rose must have risen by itself.
        """
        sign = np.sign(change)
        beyond = sign * change - np.maximum(sign * self.made, 0.0) - self.slack
        whole = np.hypot(error, self.error)
        freedoms = whole**4 / (error**4 / freedom + self.error**4 / self.freedom)
        p_values: Floats = np.minimum(2 * stdtr(freedoms, -beyond / whole), 1.0)
        return p_values

    def at_most(self, level: float) -> Floats:
        """The ratio [n], at least 1, that the traffic surely (two-sided level) makes no more than."""
        reach = stdtrit(self.freedom, 1 - level / 2) * self.error
        ratio: Floats = np.exp(np.maximum(self.made + reach, 0.0) + self.slack)
        return ratio


def bridge(baseline: Elasticity, candidate: Elasticity, load_ratio: float) -> Bridge:
    """From both sides' elasticities and the candidate's traffic per instance against the baseline's."""
    distance = -float(np.log(load_ratio))
    one, other = (abs(distance) / 2 * side.error for side in (baseline, candidate))
    error = np.hypot(one, other)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = error**4 / (one**4 / baseline.freedom + other**4 / candidate.freedom)
    made = (1 - (baseline.value + candidate.value) / 2) * distance
    slack = _SLACK * abs(distance) + _BEND * abs(distance) ** 3
    return Bridge(made, error, np.where(error > 0, freedom, np.inf), slack)
