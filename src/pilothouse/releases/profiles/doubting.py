"""Whether unequal traffic alone may have made a function's change.

Where both sides' traffic went up and down enough to show how a cost goes with it, the change is held against what the
traffic makes of it, as a second question that has a p-value of its own. Elsewhere against the limits of what the
baseline alone shows, or of what is possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from pilothouse.releases.both import Both
from pilothouse.releases.statistics import Floats, Rates, bridge, elasticity, following

if TYPE_CHECKING:
    from pilothouse.releases.profiles.cost import Costs
    from pilothouse.releases.trial import Trial


@dataclass(frozen=True, slots=True)
class Doubts:
    """For each function [n]: whether its change tells nothing, or the p-value that it is the traffic's (0: no doubt).

    `at_most` is the ratio that unequal traffic alone can make of its cost per request, `errors` the standard error of
    the logarithm of what it makes (0 where that is not known).
    """

    doubtful: NDArray[np.bool_]
    p_values: Floats
    at_most: Floats
    errors: Floats


def doubts(costs: Costs, trial: Trial, sides: Both[Floats], rates: Rates) -> Doubts:
    """The doubts on functions whose samples [n, replicates] of both sides were compared to `rates`."""
    count = len(rates.ratio)
    found = Doubts(np.zeros(count, bool), np.zeros(count), np.ones(count), np.zeros(count))
    if trial.same_load:
        return found
    # What only one side runs is no matter of traffic.
    asked = (rates.ratio > 0) & np.isfinite(rates.ratio)
    bridged = np.zeros(count, bool) if costs.level else _bridged(costs, trial, sides, rates, asked, found)
    _limited(costs, trial, sides, rates, asked & ~bridged, found)
    return found


def _bridged(
    costs: Costs, trial: Trial, sides: Both[Floats], rates: Rates, asked: NDArray[np.bool_], found: Doubts
) -> NDArray[np.bool_]:
    """Asks the functions whose elasticity is known on both sides; says which those are."""
    ends = [
        elasticity(samples, exposures, seconds)
        for samples, exposures, seconds in zip(sides, costs.exposures, costs.seconds, strict=True)
    ]
    between = bridge(ends[0], ends[1], trial.load_ratio)
    known: NDArray[np.bool_] = np.isfinite(between.made)
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = between.p_values(np.log(rates.ratio), rates.error, rates.freedom)
        found.at_most[known] = between.at_most(trial.rules.false_discovery_rate)[known]
    found.p_values[known & asked] = p_values[known & asked]
    found.errors[known] = between.error[known]
    return known


def _limited(
    costs: Costs, trial: Trial, sides: Both[Floats], rates: Rates, asked: NDArray[np.bool_], found: Doubts
) -> None:
    """Holds the others against the limits of the elasticity that the baseline shows."""
    if not asked.any():
        return
    exposures, seconds = costs.exposures.baseline, costs.seconds.baseline
    follows = following(sides.baseline, exposures, seconds)
    whole = _whole(costs)
    for row in np.flatnonzero(asked).tolist():
        limits = float(follows.least[row]), float(follows.most[row])
        found.doubtful[row] = not _is_told(trial, _at_least(trial, rates, row), *limits, whole)
        if not costs.level:
            found.at_most[row] = trial.of_load(*limits)[1]


@dataclass(frozen=True, slots=True)
class _Whole:
    """The whole process' cost per exposure on the candidate's side against the baseline's, and how it goes at least."""

    ratio: float
    least: float


def _whole(costs: Costs) -> _Whole:
    base, other = (
        float(samples.sum()) / float(exposures.sum())
        for samples, exposures in zip(costs.samples, costs.exposures, strict=True)
    )
    follows = following(costs.samples.baseline.sum(0)[None], costs.exposures.baseline, costs.seconds.baseline)
    return _Whole(other / base, float(follows.least[0]))


def _is_told(trial: Trial, ratio: float, least: float, most: float, whole: _Whole) -> bool:
    """Whether a function that follows the traffic with an elasticity from `least` to `most` changed beyond that.

    In a process with less traffic, one that may take the time which is left counts only where the whole process' cost
    is beyond what the traffic can make of it.
    """
    if least < 0 and trial.load_ratio < 1:
        return trial.beyond_load(ratio, 0.0, most) and trial.beyond_load(whole.ratio, whole.least)
    return trial.beyond_load(ratio, least, most)


def _at_least(trial: Trial, rates: Rates, row: int) -> float:
    """The ratio that is sure: the limit on the side of 1, at the level that findings are held to.

    What traffic makes of a cost is beyond doubt only where the whole of the interval is beyond it: a background thread
    of eight samples on one side and thirteen on the other may have any ratio per request.
    """
    ratio, freedom = float(rates.ratio[row]), max(float(rates.freedom[row]), 1.0)
    reach = float(stdtrit(freedom, 1 - trial.rules.false_discovery_rate / 2) * rates.error[row])
    return max(ratio * math.exp(-reach), 1.0) if ratio > 1 else min(ratio * math.exp(reach), 1.0)
