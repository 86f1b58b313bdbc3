"""Range functions on samples in memory, in C (`native/range_windows.c`) where it was compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints
from pilothouse.signals.metrics.promql.selection import Windowing

if TYPE_CHECKING:
    from pilothouse.signals.metrics.promql import _range_windows as native
else:
    try:
        from pilothouse.signals.metrics.promql import _range_windows as native
    except ImportError:  # not compiled here, or for another Python
        native = None

FUNCTIONS = frozenset(
    (
        "latest", "rate", "increase", "delta", "irate", "idelta", "changes", "resets", "min_over_time",
        "max_over_time", "count_over_time", "last_over_time", "first_over_time", "sum_over_time", "avg_over_time",
    )
)  # fmt: skip
"""Functions by their names in PromQL; `latest` is the newest sample that is not stale."""


def is_there() -> bool:
    """Whether windows can be worked out in C in this process."""
    return native is not None


def gathered(
    series: NDArray[np.uint64],
    times: Ints,
    numbers: Ints,
    divisors: NDArray[np.float32],
    base: int,
    near: NDArray[np.int32],
    values: Floats,
) -> tuple[NDArray[np.uint64], Ints, int]:
    """Rows of `samples`, by series and time: series, where each begins (and all end), how many samples there are.

    Times after `base` are written to `near`, values to `values`. Of rows with the same series and time the last counts.
    Raises `OverflowError` for times too far from `base`.
    """
    runs = native.runs(series)
    found, begins = np.empty(runs, np.uint64), np.empty(runs + 1, np.int64)
    kept = native.gather(series, times, numbers, divisors, base, found, begins, near, values)
    return found, begins, kept


def windowed(
    function: str, times: NDArray[np.int32], values: Floats, spans: tuple[Ints, Ints], rows: Ints, base: int,
    windows: Windowing,
) -> tuple[Floats, Bools, int]:  # fmt: skip
    """The values [rows, windows], where there are any, and how many samples were looked at.

    Series `row` owns the samples from `spans[0][row]` to just before `spans[1][row]`; `times` are milliseconds after
    `base`.
    """
    shape = len(rows), windows.count
    found, present = np.empty(shape), np.empty(shape, bool)
    samples = native.apply(
        function, times, values, *spans, rows, windows.first - base, windows.step, windows.count, windows.length, found,
        present.view(np.uint8),
    )  # fmt: skip
    return found, present, samples
