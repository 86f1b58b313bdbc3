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
    """A part of the UTC date of Unix seconds."""
    usable = np.isfinite(seconds) & (np.abs(seconds) < 2.5e11)
    times = np.where(usable, np.trunc(np.where(usable, seconds, 0)), 0).astype("int64").astype("datetime64[s]")
    days, months, years = (times.astype(f"datetime64[{unit}]") for unit in "DMY")
    parts: dict[str, Callable[[], Any]] = {
        "minute": lambda: (times - days).astype(np.int64) // 60 % 60,
        "hour": lambda: (times - days).astype(np.int64) // 3600,
        "day_of_week": lambda: (days.astype(np.int64) + 4) % 7,
        "day_of_month": lambda: (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        "day_of_year": lambda: (days - years.astype("datetime64[D]")).astype(np.int64) + 1,
        "days_in_month": lambda: (
            (months + np.timedelta64(1, "M")).astype("datetime64[D]") - months.astype("datetime64[D]")
        ).astype(np.int64),
        "month": lambda: months.astype(np.int64) % 12 + 1,
        "year": lambda: years.astype(np.int64) + 1970,
    }
    result: Floats = np.where(usable, parts[name]().astype(np.float64), np.nan)
    return result
