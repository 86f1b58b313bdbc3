"""Which functions did it, when the cost of many moved.

A cost shows in a function and in everything above it. The culprit is found from the largest change down to where it
splits up, and up again to the function that is as purely new. With it goes the highest ancestor that moved. A change
that an ancestor does not show was only moved between functions (a refactoring): FBDetect's cost shift (SOSP 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilothouse.releases.profiles.judging import function_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.releases.profiles.cost import Costs
    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Trial

MOST_CULPRITS = 5
_NEARLY_ALL = 0.75
_GOOD_PART = 0.35
_AS_PURE = 0.8
_MORE = 1.1
_NEGLIGIBLE = 0.1
_HALF = 0.5
_SURE = 2.0


@dataclass(frozen=True, slots=True)
class Culprit:
    """A function (a place in the costs), the highest ancestor that moved with it, the stack that shows it best.

    `delta` is its change in samples per exposure; `shifted_within` an ancestor that did not move, or -1.
    """

    place: int
    ancestor: int
    delta: float
    stack: int
    shifted_within: int = -1


def culprits(costs: Costs, trial: Trial, moved: list[int], sign: int, doubted: Sequence[int] = ()) -> list[Culprit]:
    """The functions that explain what moved upwards (`sign` 1) or downwards (-1), the largest first.

    `doubted` moved too, but the traffic may have done it: they may only say where in a moved function the change lies.
    """
    left = costs.deltas * sign
    depths = _depths(costs)
    open_places, known = set(moved), {*moved, *doubted}
    found: list[Culprit] = []
    first = 0.0
    while open_places and len(found) < MOST_CULPRITS:
        totals: Floats = costs.containing @ left
        first = max(first, max(float(totals[place]) for place in open_places))
        place = _ascended(costs, _descended(costs, open_places, known, totals, depths), known, totals, left, sign)
        if totals[place] <= _NEGLIGIBLE * first:
            break
        inside = _inside(costs, place)
        stack = int(np.argmax(np.where(inside, left, -np.inf)))
        within = _shifted_within(costs, trial, place, float(totals[place]), sign)
        ancestor = _highest(costs, stack, place, totals, known)
        found.append(Culprit(place, ancestor, float(totals[place]) * sign, stack, within))
        left = np.where(inside, 0.0, left)
        still: Floats = costs.containing @ left
        open_places = {one for one in open_places if still[one] > _NEGLIGIBLE * first and one != place}
    return found


def _descended(costs: Costs, moved: set[int], places: set[int], totals: Floats, depths: Floats) -> int:
    """From the largest change that moved down, as long as one function below still holds a good part of it."""
    here = max(moved, key=lambda one: (totals[one], depths[one]))
    while True:
        inside = _inside(costs, here)
        below = [one for one in places if depths[one] > depths[here] and (_inside(costs, one) & inside).any()]
        deeper = max(below, key=lambda one: (totals[one], depths[one]), default=here)
        if deeper == here or totals[deeper] < _GOOD_PART * totals[here]:
            return here
        here = deeper


def _ascended(costs: Costs, place: int, places: set[int], totals: Floats, left: Floats, sign: int) -> int:
    """Up again to a caller that holds more of the change and is no more diluted by what did not change."""
    side = costs.samples.candidate if sign > 0 else costs.samples.baseline
    exposure = (costs.exposures.candidate if sign > 0 else costs.exposures.baseline).sum()
    whole: Floats = costs.containing @ (side.sum(1) / exposure)
    purity = np.divide(totals, whole, out=np.zeros_like(totals), where=whole > 0)
    stack = int(np.argmax(np.where(_inside(costs, place), left, -np.inf)))
    best = place
    for caller in _callers(costs, stack, place):
        if caller not in places or purity[caller] < _AS_PURE * purity[place]:
            break
        # What a caller adds must be as new itself: beside a cost that grew seventeenfold, all above it look new.
        more = totals[caller] - totals[best]
        if totals[caller] > _MORE * totals[best] and more >= _AS_PURE * purity[place] * (whole[caller] - whole[best]):
            best = caller
    return best


def _highest(costs: Costs, stack: int, place: int, totals: Floats, places: set[int]) -> int:
    """The caller nearest to the root that moved by as much."""
    near = [
        one for one in _callers(costs, stack, place) if one in places and totals[one] >= _NEARLY_ALL * totals[place]
    ]
    return near[-1] if near else place


def _callers(costs: Costs, stack: int, place: int) -> list[int]:
    """Who calls a function in a stack, the nearest first."""
    frames: list[int] = costs.frames[costs.starts[stack] : costs.starts[stack + 1]].tolist()
    above = frames[frames.index(place) + 1 :]
    return [one for one in dict.fromkeys(above) if one != place]


def _inside(costs: Costs, place: int) -> NDArray[np.bool_]:
    """Which stacks hold a function."""
    held: NDArray[np.bool_] = costs.containing[[place], :].toarray()[0] > 0
    return held


def _shifted_within(costs: Costs, trial: Trial, place: int, delta: float, sign: int) -> int:
    """A caller of all its calls that surely did not move by half as much, or -1; all functions together come last."""
    inside = _inside(costs, place)
    stack = int(np.flatnonzero(inside)[0])
    holds: Floats = costs.containing[:, inside] @ np.ones(int(inside.sum()))
    for caller in _callers(costs, stack, place):
        if holds[caller] < inside.sum():
            continue
        base, other = (costs.containing[[caller], :] @ side for side in costs.samples)
        if _surely_less(costs, trial, base, other, _HALF * delta, sign):
            return caller
    base, other = (side.sum(0)[None] for side in costs.samples)
    return len(costs.functions) if _surely_less(costs, trial, base, other, _HALF * delta, sign) else -1


def set_off(costs: Costs, culprit: Culprit, others: list[Culprit]) -> Culprit:
    """The culprit, as a shift when another function of the same caller surely gave as much, and the caller shows it."""
    if culprit.shifted_within >= 0:
        return culprit
    totals: Floats = costs.containing @ costs.deltas
    for other in others:
        if abs(other.delta) < _HALF * abs(culprit.delta):
            continue
        known = set(_callers(costs, other.stack, other.place))
        caller = next((one for one in _callers(costs, culprit.stack, culprit.place) if one in known), -1)
        if caller >= 0 and totals[caller] * np.sign(culprit.delta) < _HALF * abs(culprit.delta):
            return replace(culprit, shifted_within=caller)
    return culprit


def _surely_less(costs: Costs, trial: Trial, base: Floats, other: Floats, delta: float, sign: int) -> bool:
    rates = function_rates(costs, trial, base, other)
    exposed = [float(side.sum()) for side in costs.exposures]
    counts = [float(base.sum()), float(other.sum())]
    change: float = sign * (counts[1] / exposed[1] - counts[0] / exposed[0])
    sampling = sum(count / exposure**2 for count, exposure in zip(counts, exposed, strict=True))
    level = (counts[0] + counts[1]) / (exposed[0] + exposed[1])
    # Two instances differ in everything by some factor; a caller that is small beside the change still tells.
    between = trial.spread_of_rates(trial.rules.cost_spread) * level**2
    noise = math.sqrt(float(rates.dispersion[0]) * sampling + between)
    return change + _SURE * noise < delta


def _depths(costs: Costs) -> Floats:
    """Each function's mean distance from the root, over the stacks that it is in."""
    sizes = np.diff(costs.starts)
    from_root = np.repeat(sizes, sizes) - (np.arange(len(costs.frames)) - np.repeat(costs.starts[:-1], sizes)) - 1
    total = np.bincount(costs.frames, from_root, len(costs.functions))
    depth: Floats = total / np.maximum(np.bincount(costs.frames, minlength=len(costs.functions)), 1)
    return depth
