"""What stacks cost in parts of a selection: the repeated measurements that say how much of a difference is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.profiles.asking import Costs, Selection, condition_of, frames
from pilothouse.signals.profiles.model import GAUGES
from pilothouse.signals.profiles.requests import Served, served_in_parts
from pilothouse.signals.selecting import MILLISECOND
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

    Parameters = dict[str, str | int | float | bool | list[str] | list[int] | None]

MOST = 60
"""Replicates of one side: its time is cut into so many parts, and profiles of one part are put together."""

Floats = NDArray[np.float64]
_MINUTE = 60_000_000_000
_NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Replicates:
    """Stacks with what they cost in each replicate of each side.

    `values[side]` is [stacks, replicates]; `exposures[side]` says what a replicate covers: profiled seconds, or
    profiles where seconds make no sense, times the requests served meanwhile where these are counted;
    `processes[side]` how many were profiled.
    `paired` says that both sides ran at the same time and that replicates are of the same parts of it, in their order.
    """

    stacks: Costs
    values: tuple[Floats, Floats]
    exposures: tuple[Floats, Floats]
    processes: tuple[int, int]
    paired: bool = False


def replicates(
    engine: Engine, wanted: str, sides: Sequence[Selection], budget: Budget | None = None,
    requests: tuple[Served, Served] | None = None,
) -> Replicates | None:  # fmt: skip
    """Both sides' replicates, or nothing when a side has no profile with a time.

    With `requests`, what a replicate covers is what was served meanwhile: load that comes and goes is then no noise.
    """
    sides, exposed, paired = _parted(engine, wanted, [_spanned(engine, wanted, side) for side in sides])
    if not all(len(found) for found in exposed):
        return None
    by_seconds = wanted not in GAUGES and all(found[found[:, 2] > 0, 1].all() for found in exposed)
    parts: list[str] = []
    parameters: Parameters = {"type": wanted}
    for number, side in enumerate(sides):
        source, said = _source(side, number)
        cell = _cell(side)
        parts.append(f"SELECT toUInt8({number}) AS side, stack, {cell} AS cell, sum(value) AS v {source} GROUP BY 2, 3")
        parameters |= said
    table = engine.query(
        f"SELECT stack, groupArray((side, cell, v)) AS at FROM ({' UNION ALL '.join(parts)}) GROUP BY stack",
        parameters, budget,
    ).combine_chunks()  # fmt: skip
    stacks = frames(engine, table.column("stack").to_numpy(), sides, budget)
    exposures = _both([found[:, 1] if by_seconds else found[:, 2] for found in exposed])
    if requests:
        # A part that three profiles began in tells of more time than one with two, though as much was served in both.
        met = _both([
            profiled * _requests(engine, side, of, found)
            for profiled, side, of, found in zip(exposures, sides, requests, exposed, strict=True)
        ])  # fmt: skip
        exposures = met if all(side.any() for side in met) else exposures
    return Replicates(
        stacks,
        _both([_laid_out(table, number, exposed[number][:, 0]) for number in (0, 1)]),
        exposures,
        (len(sides[0].identities), len(sides[1].identities)),
        paired,
    )


def _both(pair: list[Floats]) -> tuple[Floats, Floats]:
    return pair[0], pair[1]


def _spanned(engine: Engine, wanted: str, side: Selection) -> Selection:
    """The selection with its time from the first profile to the last, so that its parts have profiles in them.

    Sums by minute are read only where the parts are minutes or longer.
    """
    condition, said = condition_of(replace(side, labels=type(side.labels)()), "s", "l")
    row = engine.query(
        "SELECT toUnixTimestamp64Milli(min(time)) AS first, toUnixTimestamp64Milli(max(time)) AS last, count() AS n "
        f"FROM profiles WHERE type = {{type:String}} AND {condition}",
        {"type": wanted, **said},
    ).to_pylist()[0]
    if not row["n"]:
        return side
    within = TimeRange(row["first"] * MILLISECOND, (row["last"] + 1) * MILLISECOND)
    if side.cohorts and within.seconds >= MOST * 60:
        whole = TimeRange(within.start // _MINUTE * _MINUTE, -(-within.end // _MINUTE) * _MINUTE)
        return replace(side, within=whole)
    return replace(side, within=within, cohorts=[], apart=[])


def _parted(engine: Engine, wanted: str, sides: Sequence[Selection]) -> tuple[Sequence[Selection], list[Floats], bool]:
    """The sides, what each has in the parts of its time, and whether these are the same parts of the same time."""
    ranges = [side.within for side in sides]
    if _at_the_same_time(*ranges):
        both = TimeRange(min(one.start for one in ranges), max(one.end for one in ranges))
        together = [replace(side, within=both) for side in sides]
        exposed = _aligned(*(_exposures(engine, wanted, side) for side in together))
        # Parts in which one side has no profile are no pairs: many, where parts are hardly longer than a profile.
        pairs = np.count_nonzero((exposed[0][:, 2] > 0) & (exposed[1][:, 2] > 0))
        if pairs and pairs >= _NEARLY_ALL * len(exposed[0]):
            return together, exposed, True
    return sides, [_exposures(engine, wanted, side) for side in sides], False


def _at_the_same_time(first: TimeRange, second: TimeRange) -> bool:
    """Whether nine tenths of all the time that either side has profiles of is the other's too."""
    common = min(first.end, second.end) - max(first.start, second.start)
    return common >= _NEARLY_ALL * (max(first.end, second.end) - min(first.start, second.start))


def _aligned(first: Floats, second: Floats) -> list[Floats]:
    """A row for each part that either side has, on both: nothing is exposed where a side has no profile."""
    cells = np.union1d(first[:, 0], second[:, 0])
    found = []
    for side in (first, second):
        rows = np.zeros((len(cells), side.shape[1]))
        rows[:, 0] = cells
        rows[np.searchsorted(cells, side[:, 0])] = side
        found.append(rows)
    return found


def _cell(side: Selection) -> str:
    """SQL for the replicate that a row belongs to: a part of the time, in which all processes are together.

    Load moves in all processes at once, so that two of them at one time are not two measurements.
    """
    start, end = side.within.start // MILLISECOND, side.within.end // MILLISECOND
    # Where values are summed by minute, a minute's profiles must not be counted with another part's.
    whole = bool(side.cohorts and not side.apart)
    time = "toInt64(toUnixTimestamp(toStartOfMinute(time))) * 1000" if whole else "toUnixTimestamp64Milli(time)"
    return f"toUInt32(greatest(least(intDiv(({time} - {start}) * {MOST}, {max(end - start, 1)}), {MOST - 1}), 0))"


def _source(side: Selection, number: int) -> tuple[str, Parameters]:
    if side.cohorts and not side.apart:
        start, end = side.within.start // 1_000_000_000, side.within.end // 1_000_000_000
        return (
            f"FROM profile_minutes WHERE type = {{type:String}} AND cohort IN {{c{number}:Array(UInt64)}} "
            f"AND time >= toDateTime({start}, 'UTC') AND time < toDateTime({end}, 'UTC')",
            {f"c{number}": side.cohorts},
        )
    condition, said = condition_of(side, f"s{number}", f"l{number}")
    return f"FROM profile_samples WHERE type = {{type:String}} AND {condition}", said | {
        f"who{number}": side.identities
    }


def _exposures(engine: Engine, wanted: str, side: Selection) -> Floats:
    """A row each replicate: its number, the seconds and the profiles in it."""
    condition, said = condition_of(replace(side, labels=type(side.labels)()), "s", "l")
    table = engine.query(
        f"SELECT {_cell(side)} AS cell, sum(duration) / 1e9 AS seconds, count() AS profiles FROM profiles "
        f"WHERE type = {{type:String}} AND {condition} GROUP BY cell ORDER BY cell",
        {"type": wanted, **said},
    )
    columns = [np.asarray(table.column(name).to_pylist(), float) for name in ("cell", "seconds", "profiles")]
    return np.stack(columns, axis=1)


def _requests(engine: Engine, side: Selection, served: Served, exposed: Floats) -> Floats:
    """The requests served in each of the parts."""
    found = served_in_parts(engine, served.identities, side.within, _cell(side))
    return np.asarray([found.get(int(part), 0) for part in exposed[:, 0]], float)


def _laid_out(table: Any, side: int, cells: Floats) -> Floats:
    lists = table.column("at")
    lists = lists.chunk(0) if hasattr(lists, "chunk") else lists
    fields = lists.flatten().flatten()
    sides, at, values = (field.to_numpy(zero_copy_only=False) for field in fields)
    stack_of = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    rows = np.flatnonzero(sides == side)
    place = np.minimum(np.searchsorted(cells, at[rows]), max(len(cells) - 1, 0))
    found = np.zeros((len(lists), len(cells)))
    np.add.at(found, (stack_of[rows], place), values[rows])
    return found
