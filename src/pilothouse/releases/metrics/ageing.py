"""Memory at equal process age: a heap starts low after every rollout, and that is no improvement.

The baseline's process is taken at the ages that the candidate's has in its windows, provided that it served about
the same traffic then. Otherwise both are compared by the clock, which favours the younger one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.metrics import sql
from pilothouse.releases.metrics.badness import badness
from pilothouse.releases.metrics.measure import Measure
from pilothouse.releases.metrics.measuring import Laid, Measured
from pilothouse.releases.reading import BUDGET
from pilothouse.releases.siding import ENTRY_SQL
from pilothouse.signals.sentences import sentence

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.metrics.matching import Match, Series
    from pilothouse.releases.trial import Side, Trial
    from pilothouse.releases.window import Windows

# Older processes than this are taken to have reached their level, and differ by less than a fifth in age anyway.
_ALIKE = 1.25
_SIMILAR_TRAFFIC = 2.0

_REQUESTS = f"""SELECT count() AS n FROM spans WHERE identity IN {{identities:Array(UInt64)}} AND {ENTRY_SQL}
AND time >= fromUnixTimestamp64Nano({{start:Int64}}, 'UTC') AND time < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC')"""


def at_equal_age(engine: Engine, trial: Trial, windows: Both[Windows], matches: list[Match]) -> list[Measured]:
    """Levels of memory by process age; nothing where the ages are alike, or where the baseline's youth is not known."""
    births = trial.sides.map(lambda side: float(np.median(list(side.born.values()))))
    ages = tuple(one.start - birth for one, birth in zip(windows, births, strict=True))
    if not matches or min(ages) < 0 or max(ages) < _ALIKE * max(min(ages), 1):
        return []
    if ages[0] < ages[1] or not _similar_traffic(engine, trial, ages[1], births.baseline, windows.candidate):
        return []
    span = windows.candidate
    shape = (int(ages[1]), int(ages[1]) + span.width * span.count, span.width)
    laid = Both(
        _by_age(engine, trial.sides.baseline, [match.series.baseline for match in matches], shape),
        _by_age(engine, trial.sides.candidate, [match.series.candidate for match in matches], shape),
    )
    found = [_measured(match, laid) for match in matches]
    return [one for one in found if all(np.isfinite(side).sum() >= 3 for side in one.measure.values)]


def _similar_traffic(engine: Engine, trial: Trial, age: float, birth: float, span: Windows) -> bool:
    base, other = trial.sides
    if not other.requests.sum():
        return True
    start = int(birth + age)
    parameters: dict[str, Any] = {"identities": base.identities, "start": start, "end": start + span.width * span.count}
    young = engine.query(_REQUESTS, parameters, BUDGET).to_pylist()[0]["n"] / base.size
    ratio = young / (float(other.requests.sum()) / other.size)
    return bool(1 / _SIMILAR_TRAFFIC <= ratio <= _SIMILAR_TRAFFIC)


def _by_age(engine: Engine, side: Side, matches: list[tuple[Series, ...]], shape: tuple[int, int, int]) -> Laid:
    series = [one for match in matches for one in match]
    first, last, width = shape
    born = [side.born.get(one.identity, 0) for one in series]
    parameters: dict[str, Any] = {
        "series": [one.series for one in series],
        "births": born,
        "first_age": first,
        "last_age": last,
        "width": width,
        "start": min(born) + first,
        "end": max(born) + last,
    }
    return Laid(engine.query(sql.LEVELS_AT_AGE, parameters, BUDGET), (last - first) // width)


def _measured(match: Match, laid: Both[Laid]) -> Measured:
    mean = match.type == "gauge"
    values = Both(
        laid.baseline.matrix(match.series.baseline, mean=mean),
        laid.candidate.matrix(match.series.candidate, mean=mean),
    )
    bad = badness(match.name, dict(match.labels), "level")
    return Measured(
        match,
        Measure(
            match.name, match.labels, match.unit, "level", values, bad, at_age=True,
            noted=sentence("at equal process age"), series=sum(len(side) for side in match.series),
        ),
    )  # fmt: skip
