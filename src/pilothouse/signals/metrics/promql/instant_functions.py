"""Functions of instant vectors that work on each sample for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pilothouse.signals.metrics.promql import quantiles
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.matrix import Floats, Matrix, matrix_of

MATH: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "rad": lambda values: values * np.pi / 180,
    "deg": lambda values: values * 180 / np.pi,
    "sgn": lambda values: np.where(values < 0, -1.0, np.where(values > 0, 1.0, values)),
}

NATIVE: dict[str, Callable[[Histogram], float]] = {
    "histogram_count": lambda histogram: histogram.count,
    "histogram_sum": lambda histogram: histogram.sum,
    "histogram_avg": lambda histogram: histogram.sum / histogram.count if histogram.count else float("nan"),
    "histogram_stdvar": quantiles.variance,
    "histogram_stddev": lambda histogram: float(np.sqrt(quantiles.variance(histogram))),
}

_GO_FIRST_YEAR = -292277022399
_UNIX_FROM_GO = 9223372028715321600
_DAYS_OF_CYCLE = 146097
_DAYS_TO_2001 = 11323
DATES = ("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year")


def on_numbers(matrix: Matrix, function: Callable[[Floats], Floats]) -> Matrix:
    """`function` on each number; histograms are left out."""
    numbers = matrix.as_floats()
    with np.errstate(all="ignore"):
        values = function(numbers.values)
    return matrix_of(numbers.labels, values, numbers.present, None, numbers.drop_name)


def on_histograms(matrix: Matrix, function: Callable[[Histogram], float]) -> Matrix:
    """`function` on each histogram; numbers are left out."""
    is_native = matrix.native
    values = np.zeros(matrix.values.shape)
    if matrix.histograms is not None:
        for place in zip(*np.nonzero(is_native), strict=True):
            values[place] = function(matrix.histograms[place])
    return matrix_of(matrix.labels, values, is_native, None, matrix.drop_name)


def clamped(matrix: Matrix, low: Floats, high: Floats) -> Matrix:
    """Values held between two bounds; nothing at steps where the bounds are the wrong way round."""
    numbers = matrix.as_floats()
    with np.errstate(all="ignore"):
        # NaN spreads, as it does in Go's Max and Min.
        values = np.maximum(low[None, :], np.minimum(high[None, :], numbers.values))
        right_way = ~(high < low)
    return matrix_of(numbers.labels, values, numbers.present & right_way[None, :], None, numbers.drop_name)


def rounded(values: Floats, nearest: Floats) -> Floats:
    """To the nearest multiple; ties are rounded up."""
    inverse = 1.0 / nearest
    result: Floats = np.floor(values * inverse + 0.5) / inverse
    return result


def date_part(name: str, seconds: Floats) -> Floats:
    """A part of the UTC date of Unix seconds; of what is no time (NaN, beyond 64 bits) what Go makes of it."""
    years, times = _within_cycle(seconds)
    days, months, begins = (times.astype(f"datetime64[{unit}]") for unit in "DMY")
    parts: dict[str, Callable[[], Any]] = {
        "minute": lambda: (times - days).astype(np.int64) // 60 % 60,
        "hour": lambda: (times - days).astype(np.int64) // 3600,
        "day_of_week": lambda: (days.astype(np.int64) + 4) % 7,
        "day_of_month": lambda: (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "day_of_year": lambda: (days - begins.astype("datetime64[D]")).astype(np.int64) + 1,
        "days_in_month": lambda: (
            (months + np.timedelta64(1, "M")).astype("datetime64[D]") - months.astype("datetime64[D]")
        ).astype(np.int64),
        "month": lambda: months.astype(np.int64) % 12 + 1,
        "year": lambda: begins.astype(np.int64) + 1970 + years,
    }
    result: Floats = parts[name]().astype(np.float64)
    return result


def _within_cycle(seconds: Floats) -> tuple[Any, Any]:
    """Each time moved into the years 2001 to 2400, whose calendar is that of all cycles, and by how many years.

    As Go has it (package time): seconds are truncated to 64 bits, what does not fit becomes the smallest number as on
    amd64, and they are counted from the year -292277022399 on without a sign, so that the smallest wrap around.
    """
    with np.errstate(all="ignore"):
        fits = np.abs(seconds) < 2.0**63
        whole = np.where(fits, np.where(fits, seconds, 0).astype(np.int64), np.iinfo(np.int64).min)
        counted = whole.view(np.uint64) + np.uint64(_UNIX_FROM_GO)
    days, within_day = np.divmod(counted, np.uint64(86400))
    cycles, within_cycle = np.divmod(days, np.uint64(_DAYS_OF_CYCLE))
    moved = (within_cycle.astype(np.int64) + _DAYS_TO_2001) * 86400 + within_day.astype(np.int64)
    years = cycles.astype(np.int64) * 400 + (_GO_FIRST_YEAR - 2001)
    return years, moved.astype("datetime64[s]")
