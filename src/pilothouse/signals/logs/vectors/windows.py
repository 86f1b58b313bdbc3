"""From samples to a value at each step: what `rate`, `sum_over_time` and the others make of a window.

The window of a step is (step - span, step]: its start is not in it (Loki follows Prometheus here).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.logs.vectors.series import Floats, Samples, Series, Steps

NANOSECONDS = 1e9


def windowed(operator: str, samples: Samples, steps: Steps, span: int, offset: int, parameter: float | None) -> Series:
    """One series of an aggregation over a range."""
    ends = steps.times() - offset
    first = np.searchsorted(samples.times, ends - span, "right")
    last = np.searchsorted(samples.times, ends, "right")
    present = last > first
    seconds = span / NANOSECONDS
    match operator:
        case "rate" | "bytes_rate":
            values = _reduced(np.add, samples.values, first, last) / seconds
        case "count_over_time" | "bytes_over_time" | "sum_over_time":
            values = _reduced(np.add, samples.values, first, last)
        case "avg_over_time":
            counts = np.maximum(_reduced(np.add, samples.counts, first, last), 1)
            values = _reduced(np.add, samples.values, first, last) / counts
        case "min_over_time":
            values = _reduced(np.minimum, samples.values, first, last)
        case "max_over_time":
            values = _reduced(np.maximum, samples.values, first, last)
        case "first_over_time":
            values = _taken(samples.values, first, present)
        case "last_over_time":
            values = _taken(samples.values, last - 1, present)
        case _:
            values = _each(_function(operator, samples, span, parameter), first, last)
    return Series(samples.labels, values, present)


def _reduced(function: np.ufunc, values: Floats, first: NDArray[np.int64], last: NDArray[np.int64]) -> Floats:
    """The function over each window; what an empty window gives means nothing."""
    places = np.empty(2 * len(first), np.int64)
    places[0::2], places[1::2] = first, last
    padded = np.append(values, [0.0, 0.0])
    return np.asarray(function.reduceat(padded, places)[0::2], np.float64)


def _taken(values: Floats, places: NDArray[np.int64], present: NDArray[np.bool_]) -> Floats:
    found = np.zeros(len(places))
    found[present] = values[places[present]]
    return found


def _each(function: Callable[[int, int], float], first: NDArray[np.int64], last: NDArray[np.int64]) -> Floats:
    found = np.zeros(len(first))
    for place, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if end > start:
            found[place] = function(start, end)
    return found


def _function(operator: str, samples: Samples, span: int, parameter: float | None) -> Callable[[int, int], float]:
    values = samples.values
    match operator:
        case "stdvar_over_time":
            return lambda start, end: float(np.var(values[start:end]))
        case "stddev_over_time":
            return lambda start, end: float(np.std(values[start:end]))
        case "quantile_over_time":
            return lambda start, end: quantile(parameter or 0.0, values[start:end])
        case _:
            return lambda start, end: _counter_rate(samples.times[start:end], values[start:end], span)


def quantile(q: float, values: Any) -> float:
    """As Prometheus: linear between the two nearest ranks, infinite outside of 0 to 1."""
    if math.isnan(q) or not len(values):
        return math.nan
    if q < 0 or q > 1:
        return -math.inf if q < 0 else math.inf
    ordered = np.sort(values)
    rank = q * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    weight = rank - low
    return float(ordered[low] * (1 - weight) + ordered[high] * weight)


def _counter_rate(times: NDArray[np.int64], values: Floats, span: int) -> float:
    """Per second, with resets undone, extrapolated to the window as Prometheus' `rate` does.

    Loki lets the window begin one span before the first sample and end at the last.
    """
    if len(values) < 2:
        return 0.0
    drops = values[:-1][np.diff(values) < 0]
    increase = float(values[-1] - values[0] + drops.sum())
    sampled = (times[-1] - times[0]) / NANOSECONDS
    if sampled <= 0:
        return 0.0
    to_start = span / NANOSECONDS
    if increase > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (float(values[0]) / increase))
    between = sampled / (len(values) - 1)
    covered = sampled + (to_start if to_start < between * 1.1 else between / 2)
    return float(increase * (covered / sampled) / (span / NANOSECONDS))
