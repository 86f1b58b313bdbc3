"""How a cost follows the traffic: against it, not at all, in proportion, or more than that.

A part of a cost is there without any request: telemetry that is sent, timers, collections. Under a tenth of the traffic
it is ten times as much per request, and no fault of the version that got the tenth. Some costs take the time that is
left, and fall as the traffic rises; others grow faster than it: what waits for a lock or is searched in a queue. How a
cost goes is read from one side alone: from how it followed that side's own traffic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from pilothouse.releases.statistics.estimate import Floats

_LEAST = 8
_SURE = 0.999
_LEAST_VARIATION = 0.05
UNKNOWN = (-1.0, 2.0)
"""What is taken for possible of any cost: it may fall as the traffic rises, and it may go with its square."""


@dataclass(frozen=True, slots=True)
class Elasticity:
    """Each cost's elasticity [n] at the mean of the traffic with its standard error [n]; NaN where it is not known.

    0 is fixed, 1 in proportion to the traffic, 2 its square; what is below 0 falls as the traffic rises.
    """

    value: Floats
    error: Floats
    freedom: float


@dataclass(frozen=True, slots=True)
class Following:
    """The limits (99.9 % each) of each cost's elasticity [n] at the mean of the traffic."""

    least: Floats
    most: Floats


def elasticity(costs: Floats, exposures: Floats, seconds: Floats) -> Elasticity:
    """How costs [n, replicates] followed exposures [replicates], each replicate so many seconds long.

    A straight line by least squares through costs a second over exposure a second: its slope, related to the means.
    Not known where the traffic hardly varied, replicates are few, or nothing was seen of a cost.
    """
    count = len(exposures)
    unknown = np.full(len(costs), np.nan)
    if count < _LEAST or not (seconds > 0).all() or not (exposures > 0).any():
        return Elasticity(unknown, unknown, 0.0)
    traffic, rates = exposures / seconds, costs / seconds
    centred = traffic - traffic.mean()
    power = float(centred @ centred)
    if np.sqrt(power / count) < _LEAST_VARIATION * traffic.mean():
        return Elasticity(unknown, unknown, 0.0)
    means = rates.mean(1)
    slopes = rates @ centred / power
    rest = rates - means[:, None] - slopes[:, None] * centred
    errors = np.sqrt((rest**2).sum(1) / (count - 2) / power)
    value, error = (
        np.divide(one * traffic.mean(), means, out=unknown.copy(), where=means > 0) for one in (slopes, errors)
    )
    return Elasticity(value, error, count - 2.0)


def following(costs: Floats, exposures: Floats, seconds: Floats) -> Following:
    """The limits of what `elasticity` says of the same; `UNKNOWN` where it says nothing."""
    found = elasticity(costs, exposures, seconds)
    reach = float(stdtrit(max(found.freedom, 1.0), _SURE)) * found.error
    least, most = (
        np.where(np.isnan(one), unknown, one)
        for one, unknown in zip((found.value - reach, found.value + reach), UNKNOWN, strict=True)
    )
    return Following(np.clip(least, UNKNOWN[0], 1.0), np.clip(most, 1.0, UNKNOWN[1]))
