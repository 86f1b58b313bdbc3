"""A store in memory: for test scripts of rules and of the evaluator."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.selection import Gridded, Selection, Windowing, nothing

Value = float | Histogram


@dataclass(slots=True)
class _Series:
    times: list[int] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def add(self, time: int, value: Value, start: int) -> None:
        place = bisect.bisect_left(self.times, time)
        if isinstance(value, Histogram):
            value = _hinted(value, self.values[place - 1] if place else None)
        if place < len(self.times) and self.times[place] == time:
            self.values[place], self.starts[place] = value, start
            return
        self.times.insert(place, time)
        self.values.insert(place, value)
        self.starts.insert(place, start)


def _hinted(value: Histogram, before: Value | None) -> Histogram:
    """With the hint that Prometheus' storage gives back, which knows what a sample of the same chunk came after.

    A gauge stays one. Where a chunk begins (first sample, after a number or a stale marker, after a reset, in another
    layout) nothing is known; a sample told to be a reset begins a chunk.
    """
    if value.hint == "gauge" or value.stale:
        return value
    if not isinstance(before, Histogram) or before.hint == "gauge" or before.stale or value.hint == "reset":
        return replace(value, hint="unknown")
    if _another_layout(value, before) or replace(value, hint="unknown").resets(before):
        return replace(value, hint="unknown")
    return replace(value, hint="not_reset")


def _another_layout(value: Histogram, before: Histogram) -> bool:
    return (value.schema, value.zero_threshold, value.custom) != (before.schema, before.zero_threshold, before.custom)


class MemoryStorage:
    """Series in a dictionary; `select` hands out copies."""

    def __init__(self) -> None:
        self._series: dict[Labels, _Series] = {}

    def add(self, labels: Labels, time: int, value: Value, start: int = 0) -> None:
        """One sample at `time` milliseconds; a later one for the same time takes its place."""
        self._series.setdefault(labels, _Series()).add(time, value, start)

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()

    def gridded(self, function: str, matchers: Sequence[Matcher], windows: Windowing) -> Gridded | None:
        """See `Storage.gridded`: here all is left to the evaluator."""
        return None

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """See `Storage.select`."""
        found = [
            (labels, series)
            for labels, series in sorted(self._series.items(), key=lambda item: item[0].pairs)
            if all(matcher.matches(labels.get(matcher.label)) for matcher in matchers)
        ]
        parts = []
        for labels, series in found:
            low, high = bisect.bisect_left(series.times, start), bisect.bisect_right(series.times, end)
            if high > low:
                parts.append((labels, series.times[low:high], series.values[low:high], series.starts[low:high]))
        if not parts:
            return nothing()
        values = [value for _, _, part, _ in parts for value in part]
        histograms = None
        if any(isinstance(value, Histogram) for value in values):
            histograms = np.array([None] * len(values), dtype=object)
            for place, value in enumerate(values):
                if isinstance(value, Histogram):
                    histograms[place] = value
        starts = np.array([moment for *_, part in parts for moment in part], dtype=np.int64)
        return Selection(
            [labels for labels, *_ in parts],
            np.cumsum([0, *(len(times) for _, times, _, _ in parts)], dtype=np.int64),
            np.array([time for _, times, _, _ in parts for time in times], dtype=np.int64),
            np.array([value.sum if isinstance(value, Histogram) else value for value in values], dtype=np.float64),
            histograms,
            starts if starts.any() else None,
        )
