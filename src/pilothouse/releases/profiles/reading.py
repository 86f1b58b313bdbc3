"""From the tables of profiles to costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.profiles.cost import Costs, Function
from pilothouse.releases.profiles.types import badness, chosen, is_level, period
from pilothouse.releases.reading import BUDGET, bound, column, within_sql
from pilothouse.releases.trial import Side, Trial

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats

MOST_REPLICATES = 30
MOST_STACKS = 50_000
_LEAST_TRAFFIC = 0.05
_TIME = within_sql(3)

_PROFILES = f"""SELECT type, any(unit) AS unit, toUnixTimestamp64Milli(time) AS t, sum(duration) AS duration,
    max(period) AS period, count() AS n
FROM profiles WHERE identity IN {{identities:Array(UInt64)}} AND {_TIME} GROUP BY type, t ORDER BY type, t"""

_SAMPLES = f"""SELECT stack, sum(value) AS value,
    toInt32(arrayCount(first -> first <= toUnixTimestamp64Milli(time), {{firsts:Array(Int64)}}) - 1) AS replicate
FROM profile_samples WHERE identity IN {{identities:Array(UInt64)}} AND type = {{type:String}} AND {_TIME}
GROUP BY stack, replicate"""

_STACKS = f"""SELECT stack,
    arrayMap((name, file) -> concat(name, '\\0', splitByChar('/', file)[-1]), functions, files) AS frames
FROM profile_stacks WHERE stack IN (
    SELECT stack FROM profile_samples
    WHERE type = {{type:String}} AND identity IN {{identities:Array(UInt64)}} AND {_TIME}
    GROUP BY stack ORDER BY sum(value) DESC, stack LIMIT {MOST_STACKS}
) LIMIT 1 BY stack"""


@dataclass(frozen=True, slots=True)
class _Replicates:
    """One side's profiles of one type, grouped in time: first times (ms), seconds and profiles of each group."""

    unit: str
    period: float
    firsts: NDArray[np.int64]
    seconds: Floats
    profiles: Floats


def read(engine: Engine, trial: Trial) -> list[Costs]:
    """The costs of each profile type that both sides have at least two profiles of."""
    sides = trial.sides.map(lambda side: _replicates(engine, side))
    both = chosen(sides.baseline.keys() & sides.candidate.keys())
    least = trial.rules.least_profiles
    return [
        _costs(engine, trial, name, Both(sides.baseline[name], sides.candidate[name]))
        for name in both
        if min(sides.baseline[name].profiles.sum(), sides.candidate[name].profiles.sum()) >= least
    ]


def seen(engine: Engine, trial: Trial) -> Both[int]:
    """How many profiles each side has, of whatever type it has most of."""
    return trial.sides.map(
        lambda side: int(max((one.profiles.sum() for one in _replicates(engine, side).values()), default=0))
    )


def _replicates(engine: Engine, side: Side) -> dict[str, _Replicates]:
    table = engine.query(_PROFILES, bound(side), BUDGET)
    types = np.array(table.column("type").to_pylist(), dtype=object)
    units = table.column("unit").to_pylist()
    times, seconds = column(table, "t"), column(table, "duration") / 1e9
    periods, counts = column(table, "period"), column(table, "n")
    found = {}
    for name in dict.fromkeys(types.tolist()):
        rows = np.flatnonzero(types == name)
        groups = np.array_split(rows, min(len(rows), MOST_REPLICATES))
        found[str(name)] = _Replicates(
            units[rows[0]],
            period(int(periods[rows].max()), units[rows[0]]),
            np.array([times[group[0]] for group in groups]),
            np.array([seconds[group].sum() for group in groups], dtype=float),
            np.array([counts[group].sum() for group in groups], dtype=float),
        )
    return found


def _costs(engine: Engine, trial: Trial, name: str, sides: Both[_Replicates]) -> Costs:
    functions, frames, starts, stacks = _stacks(engine, trial, name)
    order = np.argsort(stacks)

    def laid_out(side: Side, replicates: _Replicates) -> Floats:
        parameters = bound(side) | {"type": name, "firsts": replicates.firsts.tolist()}
        table = engine.query(_SAMPLES, parameters, BUDGET)
        places = np.searchsorted(stacks[order], column(table, "stack"))
        known = places < len(stacks)
        known[known] = stacks[order][places[known]] == column(table, "stack")[known]
        samples = np.zeros((len(stacks), len(replicates.firsts)))
        rows, columns = order[places[known]], np.maximum(column(table, "replicate")[known], 0)
        np.add.at(samples, (rows, columns), column(table, "value")[known] / replicates.period)
        return samples

    level = is_level(name)
    found = Costs(
        type=name,
        unit=sides.baseline.unit,
        per_sample=sides.baseline.period,
        bad=badness(name),
        level=level,
        functions=functions,
        frames=frames,
        starts=starts,
        samples=Both(laid_out(trial.sides.baseline, sides.baseline), laid_out(trial.sides.candidate, sides.candidate)),
        exposures=Both(
            _exposure(trial, trial.sides.baseline, sides.baseline, level),
            _exposure(trial, trial.sides.candidate, sides.candidate, level),
        ),
        seconds=sides.map(lambda side: side.seconds),
    )
    return found.once(trial.sides.map(lambda side: side.size)) if level else found


def _exposure(trial: Trial, side: Side, replicates: _Replicates, level: bool) -> Floats:
    """What each replicate covers: profiles for levels, else requests (or seconds) in the profiled time."""
    if level or not replicates.seconds.all():
        return replicates.profiles
    return replicates.seconds * (_traffic(side, replicates) if trial.per_request else 1.0)


def _traffic(side: Side, replicates: _Replicates) -> Floats:
    """Requests per second and instance from each replicate's first profile to the next one's."""
    windows = side.windows
    firsts = replicates.firsts * 1_000_000
    starts, ends = np.clip([firsts, np.append(firsts[1:], windows.end)], windows.start, windows.end)
    served = np.concatenate([[0.0], np.cumsum(side.requests)])
    edges = windows.start + windows.width * np.arange(windows.count + 1)
    counted = np.interp(ends, edges, served) - np.interp(starts, edges, served)
    spans = (ends - starts) / 1e9
    traffic = np.divide(counted, spans * side.size, out=np.full(len(starts), side.traffic), where=spans > 0)
    # A profile in a lull still has the cost of what was running.
    kept: Floats = np.maximum(traffic, _LEAST_TRAFFIC * side.traffic)
    return kept * (side.traffic / max(float(np.average(kept, weights=replicates.seconds)), 1e-9))


def _stacks(
    engine: Engine, trial: Trial, name: str
) -> tuple[tuple[Function, ...], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """All functions, and each stack's frames as places among them."""
    windows = [side.windows for side in trial.sides]
    parameters: dict[str, Any] = {
        "type": name,
        "identities": [one for side in trial.sides for one in side.identities],
        "start": min(one.start for one in windows),
        "end": max(one.end for one in windows),
    }
    table: pa.Table = engine.query(_STACKS, parameters, BUDGET)
    lists = table.column("frames").combine_chunks()
    encoded = lists.flatten().dictionary_encode()
    functions = tuple(Function(*text.split("\0", 1)) for text in encoded.dictionary.to_pylist())
    frames = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = lists.offsets.to_numpy().astype(np.int64)
    return functions, frames, starts - starts[0], column(table, "stack")
