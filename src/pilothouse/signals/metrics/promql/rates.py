"""`rate`, `increase`, `delta` and their instant forms on numbers: resets, extrapolation, anchored and smoothed."""

from __future__ import annotations

import numpy as np

from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints
from pilothouse.signals.metrics.promql.over_time import Answer, filled
from pilothouse.signals.metrics.promql.windows import Samples, Windows


def falls(samples: Samples) -> Bools:
    """For each two neighbouring samples whether the counter was reset between them."""
    values = samples.values
    with np.errstate(all="ignore"):
        fell = values[1:] < values[:-1]
    if samples.starts is not None:
        fell = fell | start_resets(samples.starts[:-1], samples.times[:-1], samples.starts[1:], samples.times[1:])
    result: Bools = fell
    return result


def start_resets(before_start: Ints, before: Ints, start: Ints, time: Ints) -> Bools:
    """Whether start timestamps say that a counter began anew.

    A start at the previous sample's own time means a delta, unless that one's start was unknown, as OpenTelemetry has
    it for cumulative series whose start is not known, or invalid. A start at the sample's own time says nothing.
    """
    known = (start != 0) & (start < time)
    at_previous = (start == before) & (before_start != 0) & (before_start < before)
    result: Bools = known & ((start > before) | at_previous)
    return result


def extrapolated(windows: Windows, is_counter: bool, is_rate: bool) -> Answer:
    """`rate`, `increase` and `delta`: the difference over the window, extrapolated to its ends as Prometheus does."""
    if windows.extension:
        return _extended(windows, is_counter, is_rate)
    floats, present = windows.floats, filled(windows, 2)
    begins = (windows.ends - windows.range)[None, :]
    first_time, last_time = floats.time_at(floats.low), floats.time_at(floats.high - 1)
    first, last = floats.at(floats.low), floats.at(floats.high - 1)
    with np.errstate(all="ignore"):
        gaps = (floats.counts - 1).astype(np.float64)
        change = last - first
        if is_counter:
            change = change + _corrections(floats)
        interval = (last_time - first_time) / 1000
        average = interval / gaps
        to_start = (first_time - begins) / 1000
        to_end = (windows.ends[None, :] - last_time) / 1000
        threshold = average * 1.1
        to_start = np.where(to_start >= threshold, average / 2, to_start)
        to_end = np.where(to_end >= threshold, average / 2, to_end)
        if is_counter:
            to_zero = np.where((change > 0) & (first >= 0), interval * (first / change), np.inf)
            to_start = np.minimum(to_start, np.where(np.isnan(to_zero), np.inf, to_zero))
            if floats.starts is not None:
                started = _started(windows, first_time, begins)
                since = (first_time - floats.starts[np.clip(floats.low, 0, len(floats.starts) - 1)]) / 1000
                change = np.where(started, change + first, change)
                interval = np.where(started, interval + since, interval)
                to_start = np.where(started, 0.0, to_start)
                single = started & (floats.counts == 1)
                to_end = np.where(single, 0.0, to_end)
                change = np.where(single, first, change)
                present = present | single
        factor = (interval + to_start + to_end) / interval
        if is_rate:
            factor = factor / windows.seconds
        return change * factor, present


def _started(windows: Windows, first_time: Ints, begins: Ints) -> Bools:
    """Where the counter began, by its start timestamp, inside of the window and before its first sample."""
    floats = windows.floats
    assert floats.starts is not None
    start = floats.starts[np.clip(floats.low, 0, len(floats.starts) - 1)]
    result: Bools = (floats.counts > 0) & (start != 0) & (start > begins) & (start < first_time)
    return result


def _corrections(floats: Samples) -> Floats:
    """What was lost at the resets within each window."""
    fell = falls(floats)
    if not fell.any():
        return np.zeros(floats.low.shape)
    lost = np.concatenate(([0.0], np.where(fell, floats.values[:-1], 0.0)))
    return floats.reduced(np.add, lost, floats.low + 1)


def instant(windows: Windows, is_rate: bool) -> Answer:
    """`irate` and `idelta`: between the last two samples."""
    floats, present = windows.floats, filled(windows, 2)
    last, before = floats.at(floats.high - 1), floats.at(floats.high - 2)
    interval = floats.time_at(floats.high - 1) - floats.time_at(floats.high - 2)
    with np.errstate(all="ignore"):
        change = last - before
        if is_rate:
            reset = last < before
            if floats.starts is not None:
                places = np.clip(floats.high - 1, 1, max(len(floats.starts) - 1, 1))
                reset |= np.concatenate(([False], falls(floats)))[places]
            change = np.where(reset, last, change) / (interval / 1000)
    return change, present & (interval != 0)


def _extended(windows: Windows, is_counter: bool, is_rate: bool) -> Answer:
    """With `anchored` or `smoothed`: no extrapolation; the values at the window's ends are picked or interpolated."""
    result, present = np.zeros(windows.shape), np.zeros(windows.shape, dtype=bool)
    floats = windows.floats
    for row, column in zip(*np.nonzero(filled(windows)), strict=True):
        low, high = floats.low[row, column], floats.high[row, column]
        end = int(windows.ends[column])
        value = _extended_window(
            floats.times[low:high], floats.values[low:high], end - windows.range, end,
            windows.extension == "smoothed", is_counter,
        )  # fmt: skip
        if value is not None:
            result[row, column], present[row, column] = value, True
    return (result / windows.seconds if is_rate else result), present


def _extended_window(
    times: Ints, values: Floats, begin: int, end: int, smoothed: bool, is_counter: bool
) -> float | None:
    last = len(times) - 1
    first = max(0, int(np.searchsorted(times[:last], begin, side="right")) - 1)
    if smoothed:
        last = int(np.searchsorted(times[:last], end, side="left"))
    if times[last] <= begin:
        return None
    if smoothed and times[first] > end:
        return None
    left, right = float(values[first]), float(values[last])
    if smoothed and times[first] < begin:
        left = interpolated(times, values, first, begin, is_counter)
    if smoothed and last > 0 and times[last] > end:
        right = interpolated(times, values, last - 1, end, is_counter)
    change = right - left
    if is_counter:
        inner = values[first + (times[first] <= begin) : last + (times[last] < end)]
        before = left
        for value in [*inner.tolist(), right]:
            if value < before:
                change += before
            before = value
    return change


def interpolated(times: Ints, values: Floats, place: int, time: int, is_counter: bool) -> float:
    """The value at `time` between two samples; a counter that fell is taken to have begun at zero."""
    low, high = float(values[place]), float(values[place + 1])
    if is_counter and high < low:
        low = 0.0
    share = float(time - times[place]) / float(times[place + 1] - times[place])
    return low + (high - low) * share
