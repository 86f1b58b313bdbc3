"""Where in the tree the time went: what each kind of span under an operation took for itself, on both sides.

A span's own time is its duration without that of its children. Own times of a trace add up to what its root took
(where nothing runs in parallel), so that their differences say which part of a slowdown each kind of span made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilothouse.releases.reading import BUDGET, bound, codes, column, sums, within_sql

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.trial import Side, Trial

MOST_TRACES = 1000
_DEEPEST = 64
_MINE = f"identity IN {{identities:Array(UInt64)}} AND {within_sql(9)}"

# Traces are drawn by their hash, the same share of each window; a trace may reach an hour beyond the side's time.
_SPANS = f"""SELECT identity, name, toFloat64(duration) AS took, cityHash64(trace_id, span_id) AS mine,
    cityHash64(trace_id, parent_span_id) AS parent,
    toUInt8(name = {{name:String}} AND kind = {{kind:UInt8}} AND identity IN {{identities:Array(UInt64)}}) AS is_root
FROM spans
WHERE time >= fromUnixTimestamp64Nano({{start:Int64}} - 3600000000000, 'UTC')
  AND time < fromUnixTimestamp64Nano({{end:Int64}} + 3600000000000, 'UTC')
  AND trace_id IN (
    SELECT trace_id FROM spans WHERE {_MINE} AND name = {{name:String}} AND kind = {{kind:UInt8}}
    GROUP BY trace_id ORDER BY cityHash64(trace_id) LIMIT {MOST_TRACES})
LIMIT 1 BY trace_id, span_id, kind LIMIT 200000"""


@dataclass(frozen=True, slots=True)
class Part:
    """Own milliseconds per request of one kind of span under the operation, on both sides."""

    service: str
    name: str
    baseline: float
    candidate: float

    @property
    def grown(self) -> float:
        """Milliseconds more."""
        return self.candidate - self.baseline


def unfold(engine: Engine, trial: Trial, name: str, kind: int, services: dict[int, str]) -> list[Part]:
    """The parts of an operation, by how much they grew. `services` names each identity's service."""
    sides = [_own_times(engine, side, name, kind, services) for side in trial.sides]
    keys = sorted(set(sides[0]) | set(sides[1]))
    parts = [Part(*key, sides[0].get(key, 0.0), sides[1].get(key, 0.0)) for key in keys]
    return sorted(parts, key=lambda one: -one.grown)


def _own_times(
    engine: Engine, side: Side, name: str, kind: int, services: dict[int, str]
) -> dict[tuple[str, str], float]:
    table = engine.query(_SPANS, bound(side) | {"name": name, "kind": kind}, BUDGET)
    if not table.num_rows:
        return {}
    took, mine, roots = column(table, "took"), column(table, "mine"), column(table, "is_root") > 0
    order = np.argsort(mine)
    places = np.minimum(np.searchsorted(mine[order], column(table, "parent")), len(mine) - 1)
    parents = np.where(mine[order][places] == column(table, "parent"), order[places], -1)
    known = parents >= 0
    children = sums((len(took),), (parents[known],), took[known])
    within = _below(parents, roots)
    keys, groups = codes(table, "identity", "name")
    own = np.maximum(took - children, 0.0) / max(int(roots.sum()), 1) / 1e6
    totals = sums((len(keys),), (groups[within],), own[within])
    found: dict[tuple[str, str], float] = {}
    for (identity, span), total in zip(keys, totals.tolist(), strict=True):
        key = (services.get(identity, ""), span)
        found[key] = found.get(key, 0.0) + total
    return found


def _below(parents: NDArray[np.int64], roots: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which spans are the operation's or below it: followed up parent by parent, a level at a time."""
    inside = roots
    for _ in range(_DEEPEST):
        more = inside | (np.where(parents >= 0, inside[parents], False))
        if (more == inside).all():
            break
        inside = more
    return inside
