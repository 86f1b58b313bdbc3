"""Confidence intervals of a share."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(hits: int, trials: int, level: float) -> tuple[float, float]:
    """Where the true share lies with this confidence, having seen `hits` of `trials` (Wilson 1927).

    Holds also for few trials and for shares near 0 and 1, where the normal interval does not. (0, 1) without trials.
    """
    if trials <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, square = hits / trials, z * z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    # At the ends rounding must not cut off the share itself.
    return (0.0 if not hits else max(0.0, middle - half)), (1.0 if hits == trials else min(1.0, middle + half))
