"""How much of a cost is there without any request: telemetry that is sent, timers, collections.

Under a tenth of the traffic such a part is ten times as much per request, and no fault of the version that got the
tenth. How large it can be is read from one side alone: from how its costs follow its own traffic.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from pilothouse.releases.statistics.estimate import Floats

_LEAST = 8
_SURE = 0.999
_LEAST_VARIATION = 0.05


def most_fixed(costs: Floats, exposures: Floats, seconds: Floats) -> Floats:
    """The upper limit (99.9 %) of the part of each cost [n, replicates] that does not follow exposures [replicates].

    A straight line by least squares through costs a second over exposure a second: its intercept, related to the mean.
    1 (it may be all) where the traffic hardly varied or replicates are few.
    """
    count = len(exposures)
    nothing = np.ones(len(costs))
    if count < _LEAST or not (seconds > 0).all() or not (exposures > 0).any():
        return nothing
    traffic, rates = exposures / seconds, costs / seconds
    centred = traffic - traffic.mean()
    power = float(centred @ centred)
    if np.sqrt(power / count) < _LEAST_VARIATION * traffic.mean():
        return nothing
    means = rates.mean(1)
    slopes = rates @ centred / power
    rest = rates - means[:, None] - slopes[:, None] * centred
    errors = np.sqrt((rest**2).sum(1) / (count - 2) / power)
    reach = float(stdtrit(count - 2, _SURE))
    follows = np.divide((slopes - reach * errors) * traffic.mean(), means, out=np.zeros_like(means), where=means > 0)
    most: Floats = np.clip(1 - follows, 0.0, 1.0)
    return most
