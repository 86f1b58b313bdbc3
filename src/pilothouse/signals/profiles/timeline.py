"""What profiles of a type add up to over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.profiles.asking import Selection, sources_of, stacks_of
from pilothouse.signals.profiles.model import GAUGES
from pilothouse.signals.selecting import MILLISECOND, Resource, resources
from pilothouse.signals.selector import Selector, normalised
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

MOST_POINTS = 11_000


@dataclass(frozen=True, slots=True)
class Line:
    """One group's labels and its points: Unix milliseconds of a step's beginning, and the value in it."""

    labels: dict[str, str]
    points: list[tuple[int, float]]


def timeline(
    engine: Engine, selector: Selector, within: TimeRange, wanted: str, step: float, group_by: Sequence[str] = ()
) -> list[Line]:
    """A line for each group: what was spent in each step, or of a gauge the mean of what was there."""
    found = resources(engine, selector, within, "profiles")
    groups: dict[tuple[str, ...], int] = {}
    group_of = [groups.setdefault(_key(resource, group_by), len(groups)) for resource in found]
    if not found:
        return []
    each = max(round(step * 1000), 1)
    value = "sum(total) / count() * uniqExact(identity)" if wanted in GAUGES else "toFloat64(sum(total))"
    rows = engine.query(
        "SELECT transform(identity, {who:Array(UInt64)}, {groups:Array(UInt64)}, toUInt64(0)) AS g, "
        "intDiv(toUnixTimestamp64Milli(time) - {start:Int64}, {step:Int64}) AS at, "
        f"{value} AS value FROM profiles "
        "WHERE identity IN {who:Array(UInt64)} AND type = {type:String} "
        "AND time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') "
        "AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC') GROUP BY g, at ORDER BY g, at",
        {
            "who": [resource.identity for resource in found], "groups": group_of, "type": wanted, "step": each,
            "start": within.start // MILLISECOND, "end": -(-within.end // MILLISECOND),
        },
    ).to_pylist()  # fmt: skip
    lines = [Line(dict(zip(group_by, key, strict=True)), []) for key in groups]
    for row in rows:
        lines[row["g"]].points.append((within.start // MILLISECOND + row["at"] * each, row["value"]))
    return [line for line in lines if line.points]


@dataclass(frozen=True, slots=True)
class Share:
    """One step: when it begins (Unix milliseconds), what a function took itself and with its callees, and all."""

    at: int
    own: int
    total: int
    all: int


def share_timeline(engine: Engine, selection: Selection, wanted: str, function: str, step: float) -> list[Share]:
    """What a function took in each step of at least a minute."""
    sources, parameters = sources_of(selection, 0)
    known, said = stacks_of([selection])
    each = max(round(step), 60)
    inside = f"SELECT stack FROM profile_stacks WHERE {known} AND "
    parts = " UNION ALL ".join(f"SELECT toInt64(toUnixTimestamp(time)) AS at, stack, value {one}" for one in sources)
    rows = engine.query(
        f"SELECT intDiv(at - {{first:Int64}}, {each}) AS step, sum(value) AS everything, "
        f"sumIf(value, stack IN ({inside} has(functions, {{function:String}}))) AS total, "
        f"sumIf(value, stack IN ({inside} functions[1] = {{function:String}})) AS own "
        f"FROM ({parts}) GROUP BY step ORDER BY step",
        {"type": wanted, "function": function, "first": selection.within.start // 1_000_000_000, **parameters, **said},
    ).to_pylist()
    start = selection.within.start // MILLISECOND
    return [Share(start + row["step"] * each * 1000, row["own"], row["total"], row["everything"]) for row in rows]


def _key(resource: Resource, group_by: Sequence[str]) -> tuple[str, ...]:
    labels = {normalised(name): text for name, text in resource.attributes.items()}
    return tuple(labels.get(normalised(name), "") for name in group_by)
