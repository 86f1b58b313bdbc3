"""Tests on functions: did the cost of one, with or without what it calls, move per request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    """What a test was made from: `place` is the function's place in the costs, -1 for all of them together."""

    costs: Costs
    place: int
    own: bool


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
    whole = float(costs.samples.baseline.sum() / costs.exposures.baseline.sum())
    process = _of_process(costs)
    return [
        _tested(costs, trial, rates, row, int(place), own, whole, process, candidate[row], baseline[row])
        for row, place in enumerate(places)
    ]


def _of_process(costs: Costs) -> float:
    """The candidate's cost of the whole process per exposure against the baseline's."""
    base, other = (
        float(samples.sum() / exposures.sum())
        for samples, exposures in zip(costs.samples, costs.exposures, strict=True)
    )
    return other / base


def _is_told(trial: Trial, ratio: float, process: float) -> bool:
    """Whether a function's change tells something where the traffic differs; `process` is the whole process' ratio.

    One that only one side runs does. Of the others, what each takes of a process depends on how busy it is; so they
    count only where the whole process' cost is beyond what the traffic can make of it.
    """
    if trial.same_load or ratio == 0 or not np.isfinite(ratio):
        return True
    return trial.beyond_load(ratio) and trial.beyond_load(process)


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
    whole: float,
    process: float,
    candidate: Floats,
    baseline: Floats,
) -> Tested:
    exposed = [float(side.sum()) for side in costs.exposures]
    every = sum(float(side.sum()) for side in costs.samples)
    base, other = float(rates.baseline[row]) / exposed[0], float(rates.candidate[row]) / exposed[1]
    ratio, high = float(rates.ratio[row]), float(rates.high[row]) - 1
    shown = candidate if ratio > 1 else baseline
    return Tested(
        signal="profiles",
        subject=costs.functions[place].name if place >= 0 else TOTAL,
        measure=f"{costs.type} {'self' if own else 'total'}",
        unit=costs.unit,
        baseline=base * costs.per_sample,
        candidate=other * costs.per_sample,
        change=ratio - 1 if np.isfinite(ratio) else None,
        interval=(float(rates.low[row]) - 1, high if np.isfinite(high) else None),
        p_value=float(rates.p_value[row]),
        rising=ratio > 1,
        bad=costs.bad,
        material=abs(other - base) >= trial.rules.cost_share * whole
        and abs(ratio - 1) >= trial.rules.cost_change
        and _is_told(trial, ratio, process),
        lasting=int(np.count_nonzero(shown)) >= min(3, len(shown)),
        freedom=float(rates.freedom[row]),
        error=float(rates.error[row]),
        weight=1.0 if place < 0 and costs.bad == "up" else 0.0,
        least=trial.rules.cost_change,
        # Both sides together say how much of the cost this is, and nothing of which side has more of it.
        prominence=float(np.clip((rates.baseline[row] + rates.candidate[row]) / every, *_PROMINENCE)),
        source=FunctionTest(costs, place, own),
    )
