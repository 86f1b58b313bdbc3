"""Range functions that ClickHouse works out, with its `timeSeries...ToGrid` aggregate functions.

Only those are here whose answers are Prometheus' own to the last edge: windows open to the left, extrapolation, counter
resets, NaN (tests/signals/metrics/test_gridding.py holds them against our evaluator, and that is held against
Prometheus). Stale markers are taken out before, as Prometheus does; `latest` sees them, for they end a series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.metrics.decimals import STALE_BITS
from pilothouse.signals.metrics.prometheus.choosing import chosen, in_pieces
from pilothouse.signals.metrics.prometheus.found import Found
from pilothouse.signals.metrics.promql.selection import Gridded, Windowing
from pilothouse.signals.metrics.promql.windows import stale_mask

if TYPE_CHECKING:
    import pyarrow as pa

    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.metrics.promql.labels import Labels

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


# What a sample is unless its number holds bits; `value` knows all and takes a third longer.
_DECIMAL = "number / divisor"
# An infinity spoils ClickHouse's running sums for the windows after it.
_FINITE = frozenset(("rate", "increase", "delta", "irate", "idelta"))


def grid(
    engine: Engine, function: str, found: list[Found], of: int, windows: Windowing, budget: Budget | None
) -> Gridded | None:
    """The function's values for these series, which are some of `of` series of one metric (0: of several).

    None when there are values among them that it cannot take.
    """
    if not found:
        return Gridded([], np.zeros((0, windows.count)), np.zeros((0, windows.count), bool), 0)
    by_number = {series.number: series.labels for series in found}
    parts = []
    duration = windows.last - windows.first + windows.length
    for piece, of_piece, limited in in_pieces([series.number for series in found], of, duration, budget):
        part = _piece(engine, function, piece, by_number, of_piece, windows, limited)
        if part is None:
            return None
        parts.append(part)
    return parts[0] if len(parts) == 1 else _under_each_other(parts)


def _under_each_other(parts: list[Gridded]) -> Gridded:
    return Gridded(
        [labels for part in parts for labels in part.labels],
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        sum(part.samples for part in parts),
    )


def _piece(
    engine: Engine, function: str, numbers: list[int], by_number: Mapping[int, Labels], of: int, windows: Windowing,
    budget: Budget | None,
) -> Gridded | None:  # fmt: skip
    table = _asked(engine, function, numbers, of, windows, budget, _DECIMAL)
    if any(table.column("odd").to_pylist()):
        table = _asked(engine, function, numbers, of, windows, budget, "value")
        if function in _FINITE and any(table.column("odd").to_pylist()):
            return None
    cells = table.column("grid").combine_chunks().flatten()
    present = np.asarray(cells.is_valid()).reshape(-1, windows.count)
    values = np.array(cells.fill_null(0.0)).reshape(-1, windows.count)
    if function == "latest":
        present = present & ~stale_mask(values)
    labels = [by_number.get(number) for number in table.column("series").to_pylist()]
    samples = int(np.asarray(table.column("samples")).sum()) if table.num_rows else 0
    rows = [row for row, one in enumerate(labels) if one is not None]
    if len(rows) < len(labels):
        values, present = values[rows], present[rows]
    return Gridded([one for one in labels if one is not None], values, present, samples)


def _asked(
    engine: Engine, function: str, numbers: list[int], of: int, windows: Windowing, budget: Budget | None, value: str
) -> pa.Table:
    """`series`, `samples` (how many), `odd` (whether some are not decimal; with `value`, not finite), `grid`."""
    odd = "min(abs(divisor)) = 0" if value == _DECIMAL else "max(divisor <= 0 AND NOT isFinite(value))"
    # The bits of a stale marker must arrive as they are; elsewhere the rows are left out.
    alive = "" if function == "latest" else "AND divisor >= 0"
    if function == "latest" and value == _DECIMAL:
        value = f"if(divisor < 0, reinterpretAsFloat64(toUInt64({STALE_BITS})), {_DECIMAL})"
    condition, parameters = chosen(numbers, of)
    return engine.query(
        f"""SELECT series, count() AS samples, {odd} AS odd,
                timeSeries{GRIDS[function]}ToGrid(
                    fromUnixTimestamp64Milli({windows.first}, 'UTC'), fromUnixTimestamp64Milli({windows.last}, 'UTC'),
                    toDecimal64({windows.step / 1000}, 3), toDecimal64({windows.length / 1000}, 3)
                )(time, {value}) AS grid
            FROM samples
            WHERE {condition} AND time > fromUnixTimestamp64Milli({{first:Int64}}, 'UTC')
              AND time <= fromUnixTimestamp64Milli({{last:Int64}}, 'UTC') {alive}
            GROUP BY series""",
        {
            **parameters,
            "first": max(windows.first - windows.length, 0),
            "last": max(windows.last, 0),
        },
        budget,
    )
