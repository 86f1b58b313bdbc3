"""Which stacks cost how much: one GROUP BY in the engine, for one selection or several side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.identity import SERVICE
from pilothouse.signals.profiles.cohorts import cohort_of
from pilothouse.signals.profiles.model import GAUGES, Numbers
from pilothouse.signals.selecting import MILLISECOND, resources
from pilothouse.signals.selector import Matcher, Selector
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

    Parameters = dict[str, str | int | float | bool | list[str] | list[int] | None]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
# A shorter range is read from the samples themselves, to the millisecond.
_SHORT = 600
# What is asked for by number at a time: a statement has its limits.
_STACKS = 20_000
_PREFERRED = ("cpu", "wall", "samples", "inuse_space", "alloc_space")


@dataclass(frozen=True, slots=True)
class Selection:
    """Profiles of some identities in a time range, and of their samples those with these labels.

    Of `cohorts` every process is selected, so that their sums by minute can be read; `apart` are the identities that
    are in none of these. `services` are whose stacks they may be; none given, anybody's.
    """

    identities: list[int]
    within: TimeRange
    labels: Selector = field(default_factory=Selector)
    services: list[str] = field(default_factory=list)
    cohorts: list[int] = field(default_factory=list)
    apart: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there of one type: how many profiles, of how many seconds, and the sum of their values."""

    type: str
    unit: str
    profiles: int
    seconds: float
    total: int
    identities: int
    period: int = 0
    period_type: str = ""
    period_unit: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """Stacks with a value for each selection: `values[stack, selection]`.

    Stack `i` is, leaf first, the functions `names[codes[offsets[i]:offsets[i + 1]]]`, each a name and a file,
    at `lines` of the same places.
    """

    names: list[tuple[str, str]]
    codes: Numbers
    lines: Numbers
    offsets: Numbers
    values: Numbers

    @property
    def depths(self) -> Numbers:
        """How many frames each stack has."""
        return np.diff(self.offsets)


def select(engine: Engine, selector: Selector, within: TimeRange, labels: Selector | None = None) -> Selection:
    """The selection that label matchers and a time range mean.

    A range of ten minutes or more is widened to whole minutes, so that what is kept summed by minute answers it
    exactly.
    """
    chosen = resources(engine, selector, within, "profiles")
    found = [resource.identity for resource in chosen]
    services = sorted({resource.attributes.get(SERVICE, "") for resource in chosen})
    if within.seconds < _SHORT or (labels and labels.matchers):
        return Selection(found, within, labels or Selector(), services)
    within = TimeRange(within.start // _MINUTE * _MINUTE, -(-within.end // _MINUTE) * _MINUTE)
    members: dict[int, set[int]] = {}
    same = Selector((Matcher(SERVICE, "=~", "|".join(map(re.escape, services))),)) if selector.matchers else selector
    for resource in resources(engine, same, within, "profiles") if selector.matchers else chosen:
        members.setdefault(cohort_of(resource.attributes), set()).add(resource.identity)
    whole = {cohort: those for cohort, those in members.items() if those <= set(found)}
    apart = set(found).difference(*whole.values())
    return Selection(found, within, Selector(), services, sorted(whole), sorted(apart))


def kept(engine: Engine, selection: Selection) -> list[Kept]:
    """What there is to ask about, a row for each type."""
    condition, parameters = _condition(selection, "s")
    table = engine.query(
        "SELECT type, any(unit) AS unit, count() AS profiles, sum(duration) / 1e9 AS seconds, "
        "sum(total) AS total, uniqExact(identity) AS identities, any(period) AS period, "
        "any(period_type) AS period_type, any(period_unit) AS period_unit, any(attributes['__name__']) AS family "
        f"FROM profiles WHERE {condition} GROUP BY type ORDER BY type",
        parameters,
    )
    return [Kept(**row) for row in table.to_pylist()]


def kept_of(engine: Engine, selection: Selection, wanted: str) -> Kept:
    """What there is of the wanted type; of the most telling one if none is wanted."""
    there = {one.type: one for one in kept(engine, selection)}
    if not wanted:
        wanted = next((name for name in (*_PREFERRED, *there) if name in there), _PREFERRED[0])
    return there.get(wanted) or Kept(wanted, "ns" if wanted in ("cpu", "wall") else "", 0, 0.0, 0, 0)


def costs(engine: Engine, wanted: str, selections: Sequence[Selection], budget: Budget | None = None) -> Costs:
    """The stacks of a type, with the sum of their values in each selection."""
    parts: list[str] = []
    parameters: Parameters = {"type": wanted}
    for number, selection in enumerate(selections):
        sources, said = sources_of(selection, number)
        parts += [f"SELECT toUInt8({number}) AS side, stack, sum(value) AS v {one} GROUP BY stack" for one in sources]
        parameters |= said
    width = len(selections)
    sums = ", ".join(f"sumIf(v, side = {number}) AS v{number}" for number in range(width))
    table = engine.query(f"SELECT stack, {sums} FROM ({' UNION ALL '.join(parts)}) GROUP BY stack", parameters, budget)
    if not table.num_rows:
        return _nothing(width)
    stacks = _whole(table.column("stack")).to_numpy()
    values = [_whole(table.column(f"v{number}")).to_numpy() for number in range(width)]
    return replace(frames(engine, stacks, selections, budget), values=np.stack(values, axis=1).astype(np.int64))


def frames(engine: Engine, stacks: Numbers, selections: Sequence[Selection], budget: Budget | None = None) -> Costs:
    """The frames of these stacks, in this order and without values; a stack that is not kept has none.

    Asked for by their numbers, which are in the table's order: a join in the engine would copy every text of every
    frame, at three times the cost of all else in a flame graph. Texts come as dictionaries.
    """
    import pyarrow as pa

    if not len(stacks):
        return _nothing(0)
    known, said = stacks_of(selections)
    table = pa.concat_tables(
        engine.query(
            f"SELECT stack, functions, files, lines FROM profile_stacks WHERE {known} "
            "AND stack IN {stacks:Array(UInt64)} SETTINGS output_format_arrow_low_cardinality_as_dictionary = 1",
            said | {"stacks": stacks[begin : begin + _STACKS].tolist()},
            budget,
        )
        for begin in range(0, len(stacks), _STACKS)
    )
    found = _frames_of(table)
    # The table may hold a stack more than once, by month and until its parts are merged.
    kept_stacks, first = np.unique(_whole(table.column("stack")).to_numpy(), return_index=True)
    place = np.searchsorted(kept_stacks, stacks)
    there = place < len(kept_stacks)
    there[there] = kept_stacks[place[there]] == stacks[there]
    depths = np.zeros(len(stacks), np.int64)
    depths[there] = found.depths[first[place[there]]]
    begins = np.zeros(len(stacks), np.int64)
    begins[there] = found.offsets[first[place[there]]]
    offsets = np.concatenate(([0], np.cumsum(depths)))
    at = np.repeat(begins - offsets[:-1], depths) + np.arange(offsets[-1])
    return Costs(found.names, found.codes[at], found.lines[at], offsets, np.zeros((len(stacks), 0), np.int64))


def averaged(found: Costs, there: Kept) -> Costs:
    """Of a gauge (live bytes, goroutines) the mean over time, summed over who was profiled; else as it is."""
    if there.type not in GAUGES or there.profiles <= there.identities:
        return found
    return scaled(found, [there.identities / there.profiles])


def scaled(found: Costs, factors: Sequence[float]) -> Costs:
    """Each selection's values times its factor, rounded; a factor of one changes nothing."""
    columns = [
        column if factor == 1 else np.rint(column * factor).astype(np.int64)
        for column, factor in zip(found.values.T, factors, strict=True)
    ]
    return Costs(found.names, found.codes, found.lines, found.offsets, np.stack(columns, axis=1))


def with_function(found: Costs, text: str) -> Costs:
    """Only the stacks in which a function's name or file contains `text`, whatever its case."""
    if not text:
        return found
    small = text.casefold()
    matching = np.array([small in f"{name} {file}".casefold() for name, file in found.names], np.bool_)
    of_stack = np.repeat(np.arange(len(found.depths)), found.depths)
    keep = np.zeros(len(found.depths), np.bool_)
    keep[of_stack[matching[found.codes]]] = True
    inside = keep[of_stack]
    offsets = np.concatenate(([0], np.cumsum(found.depths[keep])))
    return Costs(found.names, found.codes[inside], found.lines[inside], offsets, found.values[keep])


def condition_of(selection: Selection, prefix: str, label_prefix: str) -> tuple[str, Parameters]:
    """SQL for the samples of a selection, and its parameters."""
    condition, parameters = _condition(selection, prefix)
    labels, said = selection.labels.condition("attributes", label_prefix)
    return (condition if labels == "1" else f"{condition} AND {labels}"), parameters | said


def stacks_of(selections: Sequence[Selection]) -> tuple[str, Parameters]:
    """SQL for the rows of `profile_stacks` in which the stacks of selections are."""
    months = [datetime.fromtimestamp(at // 1_000_000_000, UTC).strftime("%Y-%m-01") for at in _bounds(selections)]
    services = sorted({service for selection in selections for service in selection.services})
    whose = "service IN {k_services:Array(String)} AND " if services else ""
    return (
        f"{whose}month >= {{k_first:Date}} AND month <= {{k_last:Date}}",
        {"k_services": services, "k_first": months[0], "k_last": months[1]},
    )


def _bounds(selections: Sequence[Selection]) -> tuple[int, int]:
    ranges = [selection.within for selection in selections]
    return min(one.start for one in ranges), max(one.end for one in ranges)


def sources_of(selection: Selection, number: int) -> tuple[list[str], Parameters]:
    """Where the values of a selection are: sums by minute for whole cohorts, the samples for what is left."""
    kind = "type = {type:String}"
    rest = replace(selection, identities=selection.apart) if selection.cohorts else selection
    condition, parameters = condition_of(rest, f"s{number}", f"l{number}")
    sources = [f"FROM profile_samples WHERE {kind} AND {condition}"] if rest.identities or not rest.cohorts else []
    if selection.cohorts:
        sources.append(
            f"FROM profile_minutes WHERE {kind} AND cohort IN {{c{number}:Array(UInt64)}} "
            f"AND time >= toDateTime({{c{number}_start:Int64}}, 'UTC') "
            f"AND time < toDateTime({{c{number}_end:Int64}}, 'UTC')"
        )
        within = selection.within
        parameters |= {
            f"c{number}": selection.cohorts,
            f"c{number}_start": within.start // _SECOND,
            f"c{number}_end": within.end // _SECOND,
        }
    return sources, parameters


def _condition(selection: Selection, prefix: str) -> tuple[str, Parameters]:
    """Times are kept in milliseconds: the first one counts as a whole."""
    condition = (
        f"identity IN {{{prefix}_who:Array(UInt64)}} "
        f"AND time >= fromUnixTimestamp64Milli({{{prefix}_start:Int64}}, 'UTC') "
        f"AND time < fromUnixTimestamp64Milli({{{prefix}_end:Int64}}, 'UTC')"
    )
    within = selection.within
    return condition, {
        f"{prefix}_who": selection.identities,
        f"{prefix}_start": within.start // MILLISECOND,
        f"{prefix}_end": -(-within.end // MILLISECOND),
    }


def _frames_of(table: Any) -> Costs:
    """The stacks of the engine's Arrow table, without values; texts become codes without a Python string a frame."""
    if not table.num_rows:
        return _nothing(0)
    function, file = _codes(table.column("functions")), _codes(table.column("files"))
    both = function.indices.to_numpy().astype(np.int64) * max(len(file.dictionary), 1) + file.indices.to_numpy()
    # numpy's own, because Arrow imports pandas when it is given an array of numpy's.
    distinct, codes = np.unique(both, return_inverse=True)
    texts, paths = function.dictionary.to_pylist(), file.dictionary.to_pylist()
    names = [(texts[pair // len(paths)], paths[pair % len(paths)]) for pair in distinct.tolist()]
    lines = table.column("lines").chunks
    depths = np.concatenate([chunk.value_lengths().to_numpy() for chunk in lines]).astype(np.int64)
    return Costs(
        names,
        codes.astype(np.int64),
        np.concatenate([chunk.flatten().to_numpy() for chunk in lines]).astype(np.int64),
        np.concatenate(([0], np.cumsum(depths))),
        np.zeros((table.num_rows, 0), np.int64),
    )


def _codes(lists: Any) -> Any:
    """All texts of a column of lists of texts, one after the other, as one dictionary array."""
    import pyarrow as pa

    texts = pa.chunked_array([chunk.flatten() for chunk in lists.chunks])
    encoded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    return _whole(encoded.unify_dictionaries())


def _nothing(width: int) -> Costs:
    empty = np.zeros(0, np.int64)
    return Costs([], empty, empty, np.zeros(1, np.int64), np.zeros((0, width), np.int64))


def _whole(column: Any) -> Any:
    """A chunked column as one array."""
    joined = column.combine_chunks()
    return joined.chunk(0) if hasattr(joined, "chunk") else joined
