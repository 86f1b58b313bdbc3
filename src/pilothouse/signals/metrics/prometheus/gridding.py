"""Range functions that ClickHouse works out, with its `timeSeries...ToGrid` aggregate functions.

Only those are here whose answers are Prometheus' own to the last edge: windows open to the left, extrapolation, counter
resets, NaN (tests/signals/metrics/test_gridding.py holds them against our evaluator, and that is held against
Prometheus). Stale markers are taken out before, as Prometheus does; `latest` sees them, for they end a series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.metrics.prometheus.found import Found
from pilothouse.signals.metrics.promql.numbers import STALE_BITS
from pilothouse.signals.metrics.promql.selection import Gridded, Windowing
from pilothouse.signals.metrics.promql.windows import stale_mask

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

GRIDS = {
    "latest": "Last",
    "rate": "Rate",
    "increase": "Increase",
    "delta": "Delta",
    "irate": "InstantRate",
    "idelta": "InstantDelta",
    "changes": "Changes",
    "resets": "Resets",
    "min_over_time": "Min",
    "max_over_time": "Max",
    "count_over_time": "Count",
    "last_over_time": "Last",
}
"""The functions by their names in PromQL, each with ClickHouse's; sums and what is made of them are not: PromQL adds
with compensation."""


# An infinity spoils ClickHouse's running sums for the windows after it.
_FINITE = frozenset(("rate", "increase", "delta", "irate", "idelta"))


def grid(
    engine: Engine, function: str, found: list[Found], windows: Windowing, budget: Budget | None
) -> Gridded | None:
    """The function's values for these series; None when there are values among them that it cannot take."""
    if not found:
        return Gridded([], np.zeros((0, windows.count)), np.zeros((0, windows.count), bool), 0)
    by_number = {series.number: series.labels for series in found}
    alive = "" if function == "latest" else f"AND reinterpretAsUInt64(value) != {STALE_BITS}"
    table = engine.query(
        f"""SELECT series, count() AS samples, countIf(NOT isFinite(value)) AS odd, timeSeries{GRIDS[function]}ToGrid(
                fromUnixTimestamp64Milli({windows.first}, 'UTC'), fromUnixTimestamp64Milli({windows.last}, 'UTC'),
                toDecimal64({windows.step / 1000}, 3), toDecimal64({windows.length / 1000}, 3))(time, value) AS grid
            FROM samples
            WHERE series IN {{numbers:Array(UInt64)}} AND time > fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
              AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC') {alive}
            GROUP BY series""",
        {"numbers": list(by_number), "first": max(windows.first - windows.length, 0), "last": max(windows.last, 0)},
        budget,
    )
    if function in _FINITE and any(table.column("odd").to_pylist()):
        return None
    cells = table.column("grid").combine_chunks().flatten()
    present = np.asarray(cells.is_valid()).reshape(-1, windows.count)
    values = np.array(cells.fill_null(0.0)).reshape(-1, windows.count)
    if function == "latest":
        present = present & ~stale_mask(values)
    labels = [by_number[number] for number in table.column("series").to_pylist()]
    samples = int(np.asarray(table.column("samples")).sum()) if table.num_rows else 0
    return Gridded(labels, values, present, samples)
