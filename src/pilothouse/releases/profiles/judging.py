"""Tests on functions: did the cost of one, with or without what it calls, move per request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilothouse.releases.both import Both
from pilothouse.releases.profiles.doubting import Doubts, doubts
from pilothouse.releases.statistics import Floats, Rates, compare_rates
from pilothouse.releases.tested import Tested

if TYPE_CHECKING:
    from pilothouse.releases.profiles.cost import Costs
    from pilothouse.releases.trial import Trial

LEAST_SAMPLES = 10.0
LEAST_OF_SIDE = 50.0
_PROMINENCE = (0.002, 0.3)
TOTAL = "all functions"


@dataclass(frozen=True, slots=True)
class FunctionTest:
    """What a test was made from: `place` is the function's place in the costs, -1 for all of them together.

    `by_traffic` is the ratio that unequal traffic alone can make of its cost per request, at most.
    """

    costs: Costs
    place: int
    own: bool
    by_traffic: float = 1.0


def judge(found: list[Costs], trial: Trial) -> list[Tested]:
    """All tests on all types; functions with fewer than ten samples in all say nothing and are left out."""
    return [test for costs in found for test in _judge(costs, trial)]


def _judge(costs: Costs, trial: Trial) -> list[Tested]:
    if min(float(side.sum()) for side in costs.samples) < LEAST_OF_SIDE:
        return []
    if min(float(side.sum()) for side in costs.exposures) <= 0:
        return []
    totals = costs.samples.map(lambda side: np.vstack([costs.total(side), side.sum(0)]))
    owns = costs.samples.map(costs.own)
    every = totals.baseline.sum(1) + totals.candidate.sum(1)
    some = owns.baseline.sum(1) + owns.candidate.sum(1)
    tests: list[Tested] = []
    for sides, chosen in (
        (totals, every >= LEAST_SAMPLES),
        # A leaf's own cost is its total: asking twice would only make both answers weaker.
        (owns, (some >= LEAST_SAMPLES) & (some < every[:-1])),
    ):
        rows = np.flatnonzero(chosen)
        places = np.where(rows < len(costs.functions), rows, -1)
        tests += _tests(costs, trial, sides.baseline[rows], sides.candidate[rows], places, sides is owns)
    return tests


def _tests(
    costs: Costs, trial: Trial, baseline: Floats, candidate: Floats, places: NDArray[np.int64], own: bool
) -> list[Tested]:
    if not len(places):
        return []
    rates = function_rates(costs, trial, baseline, candidate)
    whole = Whole.of(costs)
    present = Both(np.count_nonzero(baseline, axis=1), np.count_nonzero(candidate, axis=1))
    doubted = doubts(costs, trial, Both(baseline, candidate), rates)
    return [
        _tested(costs, trial, rates, row, int(place), own, whole, present, doubted) for row, place in enumerate(places)
    ]


@dataclass(frozen=True, slots=True)
class Whole:
    """All samples of each side's process, and what they are exposed to."""

    samples: Both[float]
    exposures: Both[float]

    @classmethod
    def of(cls, costs: Costs) -> Whole:
        """The sums over all stacks and replicates."""
        return cls(*(both.map(lambda side: float(side.sum())) for both in (costs.samples, costs.exposures)))

    @property
    def baseline(self) -> float:
        """The baseline's cost per exposure."""
        return self.samples.baseline / self.exposures.baseline


def function_rates(costs: Costs, trial: Trial, baseline: Floats, candidate: Floats) -> Rates:
    """Samples [n, replicates] of both sides compared per exposure."""
    return compare_rates(
        baseline,
        candidate,
        (costs.exposures.baseline, costs.exposures.candidate),
        paired=False,
        spread=trial.spread_of_rates(trial.rules.cost_spread),
    )


def _tested(
    costs: Costs,
    trial: Trial,
    rates: Rates,
    row: int,
    place: int,
    own: bool,
    whole: Whole,
    present: Both[NDArray[np.int64]],
    doubted: Doubts,
) -> Tested:
    exposed, least, most = whole.exposures, *_PROMINENCE
    base, other = float(rates.baseline[row]) / exposed.baseline, float(rates.candidate[row]) / exposed.candidate
    ratio, high = float(rates.ratio[row]), float(rates.high[row]) - 1
    share = float(rates.baseline[row] + rates.candidate[row]) / sum(whole.samples)
    samples, seen = (
        (costs.samples.candidate, present.candidate) if ratio > 1 else (costs.samples.baseline, present.baseline)
    )
    return Tested(
        signal="profiles",
        subject=costs.functions[place].name if place >= 0 else TOTAL,
        measure=f"{costs.type} {'self' if own else 'total'}",
        unit=costs.unit,
        baseline=base * costs.per_sample,
        candidate=other * costs.per_sample,
        change=ratio - 1 if math.isfinite(ratio) else None,
        interval=(float(rates.low[row]) - 1, high if math.isfinite(high) else None),
        p_value=float(rates.p_value[row]),
        rising=ratio > 1,
        bad=costs.bad,
        material=abs(other - base) >= trial.rules.cost_share * whole.baseline
        and abs(ratio - 1) >= trial.rules.cost_change,
        doubtful=(trial.uncounted_load and not costs.level) or bool(doubted.doubtful[row]),
        p_traffic=float(doubted.p_values[row]),
        lasting=int(seen[row]) >= min(3, samples.shape[1]),
        freedom=float(rates.freedom[row]),
        # Under unequal traffic a change must be beyond what that makes, too, and is known no better than that is.
        error=math.hypot(float(rates.error[row]), float(doubted.errors[row])),
        weight=1.0 if place < 0 and costs.bad == "up" else 0.0,
        least=trial.rules.cost_change,
        # Both sides together say how much of the cost this is, and nothing of which side has more of it.
        prominence=min(max(share, least), most),
        source=FunctionTest(costs, place, own, float(doubted.at_most[row])),
    )
