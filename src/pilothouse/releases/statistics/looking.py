"""Asking more than once: how much of an allowed risk one look at growing data may take (alpha spending).

Who tests the same growing data ten times at 1 % is wrong in about 4 % of the cases where nothing is the matter. Lan and
DeMets 1983 share the risk out over the looks by how much of the planned data is there, however many looks there come to
be; here by the third power of that part (Kim and DeMets 1987), which keeps most for the last look. What a look may take
for itself is worked out from the looks before it: on the same data, most of what crosses a limit late has crossed one
before. A test statistic is taken for a Brownian motion there, and its density is carried from look to look by numerical
integration (Armitage, McPherson and Rowe 1969).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from pilothouse.releases.statistics.estimate import Floats

_POWER = 3.0
_POINTS = 401
# Looks that follow closer than this (as a part of the planned data) add their risks up, which takes more than it needs.
_CLOSEST = 0.01
_FARTHEST = 40.0


def spent(risk: float, part: float) -> float:
    """How much of `risk` may be taken until `part` (0 to 1) of the planned data is there."""
    return float(risk * min(max(part, 0.0), 1.0) ** _POWER)


def level_of_look(risk: float, looks: tuple[float, ...]) -> float:
    """The level for the p-values of the last of `looks`, so that all of them together are wrong in at most `risk`.

    `looks` are the parts of the planned data (ascending, up to 1) at which is looked.
    """
    apart: list[tuple[float, float]] = []
    share = before = 0.0
    for part in looks:
        share = spent(risk, part) - spent(risk, before)
        before = part
        if part - (apart[-1][0] if apart else 0.0) >= _CLOSEST:
            apart.append((part, share))
    if not apart or apart[-1][0] != before:
        return max(share, 0.0)
    return _walked(tuple(apart))[0]


@lru_cache(maxsize=512)
def _walked(looks: tuple[tuple[float, float], ...]) -> tuple[float, Floats, Floats]:
    """The level of the last look, and where the motion may be that crossed no limit so far: places, densities.

    `looks` are parts of the planned data, each with the probability that a limit is crossed there first.
    """
    *earlier, (now, share) = looks
    if not earlier:
        places = np.linspace(-1, 1, _POINTS) * -float(ndtri(share / 2)) * np.sqrt(now)
        return share, places, np.exp(-(places**2) / (2 * now)) / np.sqrt(2 * np.pi * now)
    _, places, density = _walked(tuple(earlier))
    step = np.sqrt(now - earlier[-1][0])
    mass = density * np.gradient(places)
    limit = _limit(mass, places, step, share)
    there = np.linspace(-limit, limit, _POINTS)
    moved = np.exp(-(((there[:, None] - places) / step) ** 2) / 2) / (np.sqrt(2 * np.pi) * step)
    return float(2 * ndtr(-limit / np.sqrt(now))), there, moved @ mass


def _limit(mass: Floats, places: Floats, step: float, share: float) -> float:
    """Beyond which place, on either side, the motion is now with a probability of `share`."""
    low, high = 0.0, _FARTHEST
    for _ in range(80):
        middle = (low + high) / 2
        beyond = mass @ (ndtr((places - middle) / step) + ndtr((-places - middle) / step))
        low, high = (middle, high) if beyond > share else (low, middle)
    return high
