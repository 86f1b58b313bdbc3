"""From the `spans` table to operations. ClickHouse counts; Python sees buckets, never spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.reading import (
    BUDGET,
    NANOSECONDS_SQL,
    bound,
    codes,
    column,
    sums,
    window_sql,
    within_sql,
)
from pilothouse.releases.traces.operation import BUCKETS_PER_E, Operation, Operations

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats
    from pilothouse.releases.trial import Side, Trial

MOST_OPERATIONS = 300
_LEAST_OF_INSTANCE = 20
_MINE = f"identity IN {{identities:Array(UInt64)}} AND {within_sql(9)}"

_NAMES = f"""SELECT name, kind, count() AS n FROM spans WHERE {_MINE}
GROUP BY name, kind ORDER BY n DESC, name LIMIT {MOST_OPERATIONS + 1}"""

_BUCKETS = f"""SELECT name, kind, {window_sql(NANOSECONDS_SQL)} AS w,
       toInt32(floor(log(toFloat64(duration) + 1) * {BUCKETS_PER_E})) AS bucket,
       count() AS n, countIf(status_code = 2) AS errors
FROM spans WHERE {_MINE} AND name IN {{names:Array(String)}} GROUP BY name, kind, w, bucket"""

_INSTANCES = f"""SELECT name, kind, identity, avg(log(toFloat64(duration) + 1)) AS level FROM spans
WHERE {_MINE} AND name IN {{names:Array(String)}}
GROUP BY name, kind, identity HAVING count() >= {_LEAST_OF_INSTANCE}"""

# The slowest failed ones first, then those around the 95th percentile: what a person wants to open.
_EXAMPLES = f"""SELECT lower(hex(trace_id)) AS trace FROM spans
WHERE {_MINE} AND name = {{name:String}} AND kind = {{kind:UInt8}}
ORDER BY ({{errors:Bool}} AND status_code = 2) DESC, duration DESC LIMIT 3"""


def read(engine: Engine, trial: Trial) -> Operations:
    """The operations of both sides, the busiest first."""
    totals: dict[tuple[str, int], int] = {}
    for side in trial.sides:
        for row in engine.query(_NAMES, bound(side), BUDGET).to_pylist():
            key = (row["name"], row["kind"])
            totals[key] = totals.get(key, 0) + row["n"]
    wanted = sorted(totals, key=lambda key: -totals[key])[:MOST_OPERATIONS]
    names = sorted({name for name, _ in wanted})
    sides = trial.sides.map(lambda side: _Counted(engine, side, names))
    return Operations(tuple(_operation(key, sides) for key in wanted), cut_off=len(totals) > MOST_OPERATIONS)


def illustrate(engine: Engine, side: Side, name: str, kind: int, errors: bool) -> tuple[str, ...]:
    """Trace ids that show it: the slowest, and failed ones first when it is about errors."""
    parameters = bound(side) | {"name": name, "kind": kind, "errors": errors}
    return tuple(engine.query(_EXAMPLES, parameters, BUDGET).column("trace").to_pylist())


class _Counted:
    """One side's buckets, before they are laid out by operation."""

    def __init__(self, engine: Engine, side: Side, names: list[str]) -> None:
        parameters = bound(side) | {"names": names}
        self.windows = side.windows.count
        table = engine.query(_BUCKETS, parameters, BUDGET)
        keys, self._places = codes(table, "name", "kind")
        self._numbers = {key: number for number, key in enumerate(keys)}
        self._columns = {name: column(table, name) for name in ("w", "bucket", "n", "errors")}
        self._levels: dict[tuple[str, int], list[float]] = {}
        if side.size > 1:
            for row in engine.query(_INSTANCES, parameters, BUDGET).to_pylist():
                self._levels.setdefault((row["name"], row["kind"]), []).append(row["level"])

    def rows(self, key: tuple[str, int]) -> dict[str, Any]:
        """The columns of one operation."""
        mine = self._places == self._numbers.get(key, -1)
        return {name: values[mine] for name, values in self._columns.items()}

    def levels(self, key: tuple[str, int]) -> Floats:
        """Mean log duration of each instance."""
        return np.array(self._levels.get(key, []))


def _operation(key: tuple[str, int], sides: Both[_Counted]) -> Operation:
    rows = sides.map(lambda side: side.rows(key))
    buckets = np.concatenate([rows.baseline["bucket"], rows.candidate["bucket"]])
    first = int(buckets.min()) if len(buckets) else 0
    width = int(buckets.max()) - first + 1 if len(buckets) else 1

    def laid_out(side: _Counted, values: dict[str, Any]) -> tuple[Floats, Floats]:
        places = (values["w"], values["bucket"] - first)
        return (
            sums((side.windows, width), places, values["n"]),
            sums((side.windows,), (values["w"],), values["errors"]),
        )

    base, other = laid_out(sides.baseline, rows.baseline), laid_out(sides.candidate, rows.candidate)
    return Operation(
        key[0], key[1], first, Both(base[0], other[0]), Both(base[1], other[1]),
        sides.map(lambda side: side.levels(key)),
    )  # fmt: skip
