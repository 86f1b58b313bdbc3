"""Two selections side by side, on one scale, with how sure each function's change is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.asking import Costs, Kept, Selection, costs, kept_of, scaled
from pilothouse.signals.profiles.intervals import LEVEL, Changes, changes
from pilothouse.signals.profiles.model import GAUGES
from pilothouse.signals.profiles.replicates import replicates
from pilothouse.signals.profiles.requests import Served
from pilothouse.signals.profiles.top import function_costs

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

PER = ("total", "second", "request", "share")


@dataclass(frozen=True, slots=True)
class Difference:
    """The stacks of both, `costs.values[stack]` being baseline and candidate on the baseline's scale.

    A value times `unit_share` is what it is per second, per request, or as it is.
    """

    type: str
    unit: str
    baseline: Kept
    candidate: Kept
    costs: Costs
    unit_share: float = 1.0


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """One function on both sides: itself (`own`) and with what it calls (`total`), and bounds of each change.

    `found` says that the change is no noise. Bounds are infinite where too few profiles were there to tell.
    """

    function: str
    file: str
    own: tuple[float, float]
    total: tuple[float, float]
    own_bounds: tuple[float, float]
    total_bounds: tuple[float, float]
    found: tuple[bool, bool]


def diff(
    engine: Engine, wanted: str, baseline: Selection, candidate: Selection, per: str = "total",
    requests: tuple[Served, Served] | None = None, budget: Budget | None = None,
) -> Difference:  # fmt: skip
    """The difference of two selections.

    What is spent is brought to the same profiled time, with `per="request"` to the same number of `requests`, or with
    `per="share"` to the same sum, so that neither load nor a slower machine is seen, only where the work goes. What
    is held (live bytes, goroutines) is the mean of one profile, so that neither more processes nor a longer time look
    like more memory.
    """
    first = kept_of(engine, baseline, wanted)
    second = kept_of(engine, candidate, wanted or first.type)
    found = costs(engine, second.type, [baseline, candidate], budget)
    held = second.type in GAUGES
    if held and per != "total":
        raise BadRequestError(f"per: {second.type} is held, not spent: it has no {per}", "per")
    if per == "request" and not (requests and all(side.count for side in requests)):
        raise BadRequestError("per: no server spans of this service on one of the sides; use per=second", "per")
    if per == "second" and not first.seconds:
        raise BadRequestError("per: these profiles do not say how long they took", "per")
    factors = _factors(first, second)
    if requests:
        factors = 1.0, requests[0].count / requests[1].count
    if per == "share":
        whole = found.values.sum(axis=0)
        factors = 1.0, float(whole[0] / whole[1]) if whole[1] > 0 else 1.0
    share = 1 / first.seconds if per == "second" else 1 / requests[0].count if requests else 1.0
    return Difference(second.type, second.unit or first.unit, first, second, scaled(found, factors), share)


def function_changes(
    engine: Engine, found: Difference, baseline: Selection, candidate: Selection,
    requests: tuple[Served, Served] | None = None,
    level: float = LEVEL, per: str = "total", budget: Budget | None = None,
) -> list[FunctionChange]:  # fmt: skip
    """All functions of a difference, those whose change is no noise first, then those that changed most."""
    own, total = (side * found.unit_share for side in function_costs(found.costs))
    sure, places = _measured(engine, found, (baseline, candidate), requests, level, per, budget)
    rows = []
    for code, (name, file) in enumerate(found.costs.names):
        if not (own[code].any() or total[code].any()):
            continue
        bounds, held = _sureness(sure, places.get((name, file), -1))
        of_own, of_all = (float(own[code, 0]), float(own[code, 1])), (float(total[code, 0]), float(total[code, 1]))
        rows.append(FunctionChange(name, file, of_own, of_all, bounds[0], bounds[1], held))
    return sorted(rows, key=_rank)


def _sureness(sure: Changes | None, place: int) -> tuple[list[tuple[float, float]], tuple[bool, bool]]:
    if sure is None or place < 0:
        return [(-np.inf, np.inf)] * 2, (False, False)
    bounds = [(float(low), float(high)) for low, high in zip(sure.low[place], sure.high[place], strict=True)]
    return bounds, (bool(sure.found[place, 0]), bool(sure.found[place, 1]))


def _rank(one: FunctionChange) -> tuple[bool, bool, float, float, str]:
    moved, below = abs(one.own[1] - one.own[0]), abs(one.total[1] - one.total[0])
    return not one.found[0], not one.found[1], -moved, -below, one.function


def _measured(
    engine: Engine, found: Difference, sides: tuple[Selection, Selection], requests: tuple[Served, Served] | None,
    level: float, per: str, budget: Budget | None,
) -> tuple[Changes | None, dict[tuple[str, str], int]]:  # fmt: skip
    """The changes in the units in which the difference is shown, and where each function stands in them."""
    measured = replicates(engine, found.type, sides, budget, requests)
    if measured is None:
        return None, {}
    if per == "share":
        whole = measured.values[0].sum(axis=0), measured.values[1].sum(axis=0)
        measured = replace(measured, exposures=whole)
    exposed = [float(side.sum()) for side in measured.exposures]
    # Of all requests some were served where no profile tells of it.
    scale = (exposed[0] / requests[0].count, exposed[1] / requests[1].count) if requests else (1.0, 1.0)
    sure = changes(measured, scale, level, grain=_grain(engine, found, sides))
    # A rate is per second, per profile or per request; shown is the sum over the baseline, or a share of it.
    shown = 1.0 if found.type in GAUGES else found.unit_share * (requests[0].count if requests else exposed[0])
    low, high = sure.low * shown, sure.high * shown
    rated = replace(sure, baseline=sure.baseline * shown, candidate=sure.candidate * shown, low=low, high=high)
    return rated, {name: place for place, name in enumerate(measured.stacks.names)}


def _grain(engine: Engine, found: Difference, sides: tuple[Selection, Selection]) -> tuple[float, float]:
    """What one sample of memory stands for on each side, where what is held is a sample: Go's and our own profiles."""
    if found.type not in ("inuse_space", "inuse_objects"):
        return 0.0, 0.0
    first, second = zip(sides, (found.baseline, found.candidate), strict=True)
    return _grain_of(engine, found.type, *first), _grain_of(engine, found.type, *second)


def _grain_of(engine: Engine, wanted: str, side: Selection, kept: Kept) -> float:
    if kept.period_type != "space" or wanted == "inuse_space":
        return float(kept.period) if kept.period_type == "space" else 0.0
    # Of objects of s bytes one in period / s is noted; of which size a place's are is not asked, but of all of them.
    space = kept_of(engine, side, "inuse_space")
    return kept.period * kept.total / space.total if space.total > 0 else 0.0


def _factors(baseline: Kept, candidate: Kept) -> tuple[float, float]:
    if not baseline.profiles or not candidate.profiles:
        return 1.0, 1.0
    if candidate.type in GAUGES:
        return 1 / baseline.profiles, 1 / candidate.profiles
    if baseline.seconds > 0 and candidate.seconds > 0:
        return 1.0, baseline.seconds / candidate.seconds
    return 1.0, baseline.profiles / candidate.profiles
