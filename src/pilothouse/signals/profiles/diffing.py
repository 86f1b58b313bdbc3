"""Two selections side by side, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.profiles.asking import Costs, Kept, Selection, costs, kept_of, scaled
from pilothouse.signals.profiles.model import GAUGES

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine


@dataclass(frozen=True, slots=True)
class Difference:
    """The stacks of both, `costs.values[stack]` being baseline and candidate on the baseline's scale."""

    type: str
    unit: str
    baseline: Kept
    candidate: Kept
    costs: Costs


def diff(
    engine: Engine, wanted: str, baseline: Selection, candidate: Selection, budget: Budget | None = None
) -> Difference:
    """The difference of two selections.

    What is spent is brought to the same profiled time. What is held (live bytes, goroutines) is the mean of
    one profile, so that neither more processes nor a longer time look like more memory.
    """
    first = kept_of(engine, baseline, wanted)
    second = kept_of(engine, candidate, wanted or first.type)
    found = costs(engine, second.type, [baseline, candidate], budget)
    factors = _factors(first, second)
    return Difference(second.type, second.unit or first.unit, first, second, scaled(found, factors))


def _factors(baseline: Kept, candidate: Kept) -> tuple[float, float]:
    if not baseline.profiles or not candidate.profiles:
        return 1.0, 1.0
    if candidate.type in GAUGES:
        return 1 / baseline.profiles, 1 / candidate.profiles
    if baseline.seconds > 0 and candidate.seconds > 0:
        return 1.0, baseline.seconds / candidate.seconds
    return 1.0, baseline.profiles / candidate.profiles
