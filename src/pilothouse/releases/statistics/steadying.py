"""Events outside their bursts: what is left of both sides without the tenth of the windows that had most.

An outage of two minutes holds most of an hour's errors, and says nothing of the version that happened to run: the
dispersion that it makes hides what each of the other minutes shows.
"""

from __future__ import annotations

import math

import numpy as np

from pilothouse.releases.statistics.estimate import Floats

_BURSTS = 0.1

Counted = tuple[Floats, Floats]
"""Events and exposures [windows]."""


def outside_bursts(baseline: Counted, candidate: Counted) -> tuple[Counted, Counted]:
    """Both sides, whose windows are the same times, without the tenth (at least one) that had most events per exposure.

    Which windows those are is told by what both sides had together: how these events are split between the sides,
    which is what is tested, is not looked at. So there is no such thing for sides at different times: each without its
    own worst windows would vary less than it does, and a version would differ from itself three times too often.
    """
    kept = _steady(baseline[0] + candidate[0], baseline[1] + candidate[1])
    return _chosen(baseline, kept), _chosen(candidate, kept)


def _steady(events: Floats, exposure: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    rate = np.divide(events, exposure, out=np.zeros_like(exposure, dtype=float), where=exposure > 0)
    return np.sort(np.argsort(rate, kind="stable")[: len(rate) - math.ceil(_BURSTS * len(rate))])


def _chosen(side: Counted, kept: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Counted:
    return side[0][kept], side[1][kept]
