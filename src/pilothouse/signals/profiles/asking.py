"""Which stacks cost how much: one GROUP BY in the engine, for one selection or several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.signals.profiles.model import GAUGES, Numbers
from pilothouse.signals.selecting import MILLISECOND, identities
from pilothouse.signals.selector import Selector
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

    Parameters = dict[str, str | int | float | bool | list[str] | list[int] | None]

_PREFERRED = ("cpu", "wall", "samples", "inuse_space", "alloc_space")


@dataclass(frozen=True, slots=True)
class Selection:
    """Profiles of some identities in a time range, and of their samples those with these labels."""

    identities: list[int]
    within: TimeRange
    labels: Selector = field(default_factory=Selector)


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
    """The selection that label matchers and a time range mean."""
    return Selection(identities(engine, selector, within, "profiles"), within, labels or Selector())


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
        condition, said = condition_of(selection, f"s{number}", f"l{number}")
        parts.append(condition)
        parameters |= said
    alone = len(parts) == 1
    sums = ", ".join(
        f"{'sum(value)' if alone else f'sumIf(value, {part})'} AS v{number}" for number, part in enumerate(parts)
    )
    either = " OR ".join(f"({part})" for part in parts)
    # The stacks' table is the streamed side of the join: it may be large, the answer's stacks are few.
    table = engine.query(
        f"SELECT functions, files, lines, {', '.join(f'v{n}' for n in range(len(parts)))} "
        "FROM profile_stacks ANY RIGHT JOIN ("
        f"SELECT stack, {sums} FROM profile_samples WHERE type = {{type:String}} AND ({either}) GROUP BY stack"
        ") AS costs USING (stack)",
        parameters,
        budget,
    )
    return _costs(table.combine_chunks(), len(parts))


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


def _costs(table: Any, width: int) -> Costs:
    """From the engine's Arrow table; texts become codes without making a Python string a frame."""
    import pyarrow as pa

    if not table.num_rows:
        empty = np.zeros(0, np.int64)
        return Costs([], empty, empty, np.zeros(1, np.int64), np.zeros((0, width), np.int64))
    functions, files, lines = (_whole(table.column(name)) for name in ("functions", "files", "lines"))
    function, file = functions.flatten().dictionary_encode(), files.flatten().dictionary_encode()
    both = function.indices.to_numpy().astype(np.int64) * max(len(file.dictionary), 1) + file.indices.to_numpy()
    pairs = pa.array(both).dictionary_encode()
    texts, paths = function.dictionary.to_pylist(), file.dictionary.to_pylist()
    distinct = pairs.dictionary.to_numpy(zero_copy_only=False)
    names = [(texts[pair // len(paths)], paths[pair % len(paths)]) for pair in distinct.tolist()]
    offsets = functions.offsets.to_numpy().astype(np.int64)
    values = [_whole(table.column(f"v{number}")).to_numpy() for number in range(width)]
    return Costs(
        names,
        pairs.indices.to_numpy().astype(np.int64),
        lines.flatten().to_numpy().astype(np.int64),
        offsets - offsets[0],
        np.stack(values, axis=1).astype(np.int64),
    )


def _whole(column: Any) -> Any:
    """A chunked column as one array."""
    joined = column.combine_chunks()
    return joined.chunk(0) if hasattr(joined, "chunk") else joined
