"""`*_over_time` and relatives on numbers: each takes windows and answers values where `present`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints
from pilothouse.signals.metrics.promql.quantiles import sorted_quantiles
from pilothouse.signals.metrics.promql.summing import exact_mean, exact_sum
from pilothouse.signals.metrics.promql.windows import Samples, Windows

Answer = tuple[Floats, Bools]
# A sum is done again exactly when rounding could show in its tenth digit.
_CANCELLED = 1e-6


def filled(windows: Windows, least: int = 1) -> Bools:
    """Which windows have at least so many numbers."""
    return windows.floats.counts >= least


def sum_over_time(windows: Windows) -> Answer:
    """The sum of each window."""
    floats = windows.floats
    with np.errstate(all="ignore"):
        sums = floats.reduced(np.add, floats.values)
        sizes = floats.reduced(np.add, np.abs(floats.values))
        doubtful = filled(windows) & np.isfinite(sizes) & (sizes * _CANCELLED > np.abs(sums))
        doubtful |= filled(windows) & np.isinf(sizes) & ~np.isinf(floats.reduced(np.maximum, np.abs(floats.values)))
    for place in zip(*np.nonzero(doubtful), strict=True):
        sums[place] = exact_sum(_window(floats, place))
    return sums, filled(windows)


def avg_over_time(windows: Windows) -> Answer:
    """The mean of each window."""
    floats = windows.floats
    sums, present = sum_over_time(windows)
    with np.errstate(all="ignore"):
        means = sums / floats.counts
        overflown = present & np.isinf(sums)
    for place in zip(*np.nonzero(overflown), strict=True):
        means[place] = exact_mean(_window(floats, place))
    return means, present


def min_over_time(windows: Windows) -> Answer:
    """The smallest value that is a number."""
    return windows.floats.reduced(np.fmin, windows.floats.values), filled(windows)


def max_over_time(windows: Windows) -> Answer:
    """The largest value that is a number."""
    return windows.floats.reduced(np.fmax, windows.floats.values), filled(windows)


def stdvar_over_time(windows: Windows) -> Answer:
    """The population variance of each window."""
    floats, present = windows.floats, filled(windows)
    result = np.zeros(present.shape)
    with np.errstate(all="ignore"):
        for part, places, begins, owner in floats.laid_out(present):
            values = floats.values[places]
            counts = np.diff(np.append(begins, len(places)))
            # Shifted by the first value, so that large numbers close together lose nothing.
            shifted = values - values[begins][owner]
            means = np.add.reduceat(shifted, begins) / counts
            result[part] = np.add.reduceat((shifted - means[owner]) ** 2, begins) / counts
    return result, present


def stddev_over_time(windows: Windows) -> Answer:
    """The population standard deviation of each window."""
    variance, present = stdvar_over_time(windows)
    with np.errstate(all="ignore"):
        return np.sqrt(variance), present


def quantile_over_time(windows: Windows, quantiles: Floats) -> Answer:
    """The quantile of each window, a different one at each step if wanted."""
    return _quantiles(windows, quantiles, windows.floats.values), filled(windows)


def mad_over_time(windows: Windows) -> Answer:
    """The median absolute deviation from the median."""
    floats, present = windows.floats, filled(windows)
    half = np.full(present.shape[1], 0.5)
    medians = _quantiles(windows, half, floats.values)
    result = np.zeros(present.shape)
    with np.errstate(all="ignore"):
        for part, places, begins, owner in floats.laid_out(present):
            deviations = np.abs(floats.values[places] - medians[part][owner])
            found = sorted_quantiles(deviations, begins, owner, np.full(len(begins), 0.5))
            unknown = np.logical_or.reduceat(np.isnan(floats.values[places]), begins)
            result[part] = np.where(unknown, np.nan, found)
    return result, present


def _quantiles(windows: Windows, quantiles: Floats, values: Floats) -> Floats:
    result = np.zeros(windows.shape)
    wanted = np.broadcast_to(quantiles[None, :], windows.shape)
    for part, places, begins, owner in windows.floats.laid_out(filled(windows)):
        result[part] = sorted_quantiles(values[places], begins, owner, wanted[part])
    return result


def changes(windows: Windows) -> Answer:
    """How often the value changed within each window."""
    values = windows.floats.values
    with np.errstate(all="ignore"):
        differs = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return _counted(windows, differs)


def resets(windows: Windows, fell: Bools) -> Answer:
    """How often the value fell within each window; `fell[i]` is about samples i and i + 1."""
    return _counted(windows, fell)


def _counted(windows: Windows, marks: Bools) -> Answer:
    floats = windows.floats
    low, present = first_places(windows), filled(windows)
    if windows.extension:
        present = present & (floats.time_at(floats.high - 1) > (windows.ends - windows.range)[None, :])
    sums = np.concatenate(([0, 0], np.cumsum(marks)))
    # sums[i] counts the marks up to sample i - 1.
    result = sums[np.maximum(floats.high, 1)] - sums[np.minimum(low + 1, len(sums) - 1)]
    return np.where(present, result, 0).astype(np.float64), present


def first_places(windows: Windows) -> Ints:
    """The first sample of each window; of extended ones the last at or before its begin, if there is one."""
    floats = windows.floats
    if not windows.extension:
        return floats.low
    result = floats.low.copy()
    edges = windows.ends - windows.range
    for row, column in zip(*np.nonzero(floats.counts > 0), strict=True):
        low, high = floats.low[row, column], floats.high[row, column]
        after = np.searchsorted(floats.times[low : high - 1], edges[column], side="right")
        result[row, column] = low + max(0, int(after) - 1)
    return result


def first_over_time(windows: Windows) -> Answer:
    """The first value."""
    return windows.floats.at(windows.floats.low), filled(windows)


def last_over_time(windows: Windows) -> Answer:
    """The last value."""
    return windows.floats.at(windows.floats.high - 1), filled(windows)


def deriv(windows: Windows) -> Answer:
    """The slope of a line fitted through each window, per second."""
    slopes, _, present = _regression(windows, None)
    return slopes, present


def predict_linear(windows: Windows, seconds: Floats) -> Answer:
    """The value of that line so many seconds after each step."""
    slopes, intercepts, present = _regression(windows, windows.now)
    with np.errstate(all="ignore"):
        return slopes * seconds[None, :] + intercepts, present


def _regression(windows: Windows, origin: Ints | None) -> tuple[Floats, Floats, Bools]:
    floats, present = windows.floats, filled(windows, 2)
    slopes, intercepts = np.zeros(present.shape), np.zeros(present.shape)
    steps = np.broadcast_to(np.arange(windows.shape[1])[None, :], windows.shape)
    with np.errstate(all="ignore"):
        for part, places, begins, owner in floats.laid_out(present):
            values, times = floats.values[places], floats.times[places]
            base = times[begins] if origin is None else origin[steps[part]]
            counts = np.diff(np.append(begins, len(places))).astype(np.float64)
            first_values = values[begins]
            constant = np.logical_and.reduceat(values == first_values[owner], begins)
            # Centred on the window's own first time and value: the sums then hardly cancel.
            x = (times - times[begins][owner]) / 1000
            y = values - first_values[owner]
            mean_x, mean_y = np.add.reduceat(x, begins) / counts, np.add.reduceat(y, begins) / counts
            dx, dy = x - mean_x[owner], y - mean_y[owner]
            slope = np.add.reduceat(dx * dy, begins) / np.add.reduceat(dx * dx, begins)
            shift = (base - times[begins]) / 1000
            intercept = first_values + mean_y + slope * (shift - mean_x)
            broken = constant & np.isinf(first_values)
            slope = np.where(broken, np.nan, np.where(constant, 0.0, slope))
            intercept = np.where(broken, np.nan, np.where(constant, first_values, intercept))
            for window in np.flatnonzero(~constant & np.logical_or.reduceat(np.isinf(values), begins)):
                inside = slice(begins[window], begins[window] + int(counts[window]))
                x = (times[inside] - base[window]) / 1000
                slope[window], intercept[window] = _endless_line(x, values[inside])
            slopes[part], intercepts[part] = slope, intercept
    return slopes, intercepts, present


def _endless_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and intercept with infinite values among `y`: which infinity (or NaN) comes out is a matter of the order in
    which Prometheus' `linearRegression` adds."""
    count = float(len(x))
    sum_x, sum_xx = exact_sum(x.tolist()), exact_sum((x * x).tolist())
    # Compensation is lost where a sum is infinite, so plain sums say the same.
    sum_y, sum_xy = float(np.add.reduce(y)), float(np.add.reduce(x * y))
    slope = np.float64(sum_xy - sum_x * sum_y / count) / (sum_xx - sum_x * sum_x / count)
    return float(slope), float(sum_y / count - slope * sum_x / count)


def double_exponential_smoothing(windows: Windows, smoothing: Floats, trend: Floats) -> Answer:
    """Holt-Winters smoothing with a smoothing and a trend factor."""
    floats, present = windows.floats, filled(windows, 2)
    level, before = floats.at(floats.low), np.zeros(windows.shape)
    slope = floats.at(floats.low + 1) - level
    most = int(floats.counts.max(initial=0))
    with np.errstate(all="ignore"):
        for step in range(1, most):
            active = floats.counts > step
            slope = np.where(active & (step > 1), trend * (level - before) + (1 - trend) * slope, slope)
            further = smoothing * floats.at(floats.low + step) + (1 - smoothing) * (level + slope)
            before, level = np.where(active, level, before), np.where(active, further, level)
    return level, present


def integral(windows: Windows) -> Answer:
    """The area under the samples of each window by the trapezoidal rule, in value seconds."""
    floats, present = windows.floats, filled(windows, 2)
    with np.errstate(all="ignore"):
        areas = np.diff(floats.times) / 1000 * (floats.values[1:] + floats.values[:-1]) / 2
    shifted = np.concatenate(([0.0], areas))
    return floats.reduced(np.add, shifted, floats.low + 1), present


def time_of_extreme(windows: Windows, largest: bool) -> Answer:
    """When the largest (smallest) value was last seen, in Unix seconds."""
    floats, present = windows.floats, filled(windows)
    extreme = (max_over_time if largest else min_over_time)(windows)[0]
    result = np.zeros(present.shape)
    with np.errstate(all="ignore"):
        for part, places, begins, owner in floats.laid_out(present):
            values, wanted = floats.values[places], extreme[part][owner]
            hits = (values == wanted) | (np.isnan(wanted) & np.isnan(values))
            times = np.where(hits, floats.times[places], np.iinfo(np.int64).min)
            result[part] = np.maximum.reduceat(times, begins) / 1000
    return result, present


def _window(floats: Samples, place: tuple[int, int]) -> list[float]:
    found: list[float] = floats.values[floats.low[place] : floats.high[place]].tolist()
    return found


SIMPLE: dict[str, Callable[[Windows], Answer]] = {
    "sum_over_time": sum_over_time,
    "avg_over_time": avg_over_time,
    "min_over_time": min_over_time,
    "max_over_time": max_over_time,
    "stdvar_over_time": stdvar_over_time,
    "stddev_over_time": stddev_over_time,
    "mad_over_time": mad_over_time,
    "changes": changes,
    "first_over_time": first_over_time,
    "last_over_time": last_over_time,
    "deriv": deriv,
    "integral": integral,
}
