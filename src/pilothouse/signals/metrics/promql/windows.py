"""Range vectors: for each series and step, which samples lie in the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints, Objects, occupied
from pilothouse.signals.metrics.promql.numbers import STALE_BITS
from pilothouse.signals.metrics.promql.selection import Selection

# How many samples are laid out at a time by functions that need their windows one after the other.
_CHUNK = 4_000_000


@dataclass(slots=True)
class Samples:
    """The samples of one sort with the bounds of each window: `low[series, step]` to just before `high`."""

    times: Ints
    values: Any
    low: Ints
    high: Ints
    starts: Ints | None = None

    @property
    def counts(self) -> Ints:
        return self.high - self.low

    def at(self, places: Ints) -> Any:
        """Values at places that may lie outside (then the nearest)."""
        if not len(self.values):
            return np.zeros(places.shape)
        return self.values[np.clip(places, 0, len(self.values) - 1)]

    def time_at(self, places: Ints) -> Ints:
        """The same for times."""
        if not len(self.times):
            return np.zeros(places.shape, np.int64)
        return self.times[np.clip(places, 0, len(self.times) - 1)]

    def starts_in(self, low: int, high: int) -> list[int]:
        """The times since which the samples of a window count, 0 where that is not known."""
        found: list[int] = [0] * int(high - low) if self.starts is None else self.starts[low:high].tolist()
        return found

    def reduced(self, ufunc: np.ufunc, values: NDArray[Any], low: Ints | None = None) -> NDArray[Any]:
        """`ufunc` over each window that is not empty (0 elsewhere). Windows may overlap."""
        low = self.low if low is None else low
        result = np.zeros(low.shape, dtype=values.dtype)
        filled = self.high > low
        if not filled.any():
            return result
        bounds = np.empty(2 * int(filled.sum()), dtype=np.int64)
        bounds[0::2], bounds[1::2] = low[filled], self.high[filled]
        padded = np.append(values, values[-1:])
        result[filled] = ufunc.reduceat(padded, bounds)[0::2]
        return result

    def laid_out(self, wanted: Bools) -> Iterator[tuple[Bools, Ints, Ints, Ints]]:
        """Windows that are `wanted` and not empty, some at a time: which, their samples' places one after the other,
        where each window begins in that, and for each sample the number of its window."""
        counts = np.where(wanted, self.counts, 0)
        per_row = counts.sum(axis=1)
        row = 0
        while row < len(per_row):
            last, total = row, 0
            while last < len(per_row) and (last == row or total + per_row[last] <= _CHUNK):
                total += int(per_row[last])
                last += 1
            part = np.zeros(wanted.shape, dtype=bool)
            part[row:last] = counts[row:last] > 0
            if total:
                sizes = counts[part]
                begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))
                owner = np.repeat(np.arange(len(sizes)), sizes)
                places = np.arange(int(sizes.sum())) - begins[owner] + self.low[part][owner]
                yield part, places, begins, owner
            row = last


@dataclass(slots=True)
class Windows:
    """A range vector at all steps. `ends` is where each window ends, `now` the time of each step.

    Windows are open to the left and closed to the right, as in Prometheus 3. `histograms` is None when there is none.
    With an `extension` the windows hold the neighbours too, up to the lookback away.
    """

    labels: list[Labels]
    floats: Samples
    histograms: Samples | None
    ends: Ints
    now: Ints
    range: int
    extension: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.labels), len(self.now)

    @property
    def histogram_counts(self) -> Ints:
        if self.histograms is None:
            return np.zeros(self.shape, np.int64)
        return self.histograms.counts

    @property
    def seconds(self) -> float:
        return self.range / 1000


def stale_mask(values: Floats) -> Bools:
    """Which values are stale markers."""
    result: Bools = values.view(np.uint64) == np.uint64(STALE_BITS)
    return result


def bounds_in(offsets: Ints, times: Ints, edges: Ints) -> Ints:
    """For each series and edge, how many samples before the end of the series' times are at or before the edge.

    The result is a place in `times`: of the first sample after the edge.
    """
    series = len(offsets) - 1
    if not len(times):
        return np.zeros((series, len(edges)), np.int64)
    first = min(int(times.min()), int(edges.min())) - 1
    span = max(int(times.max()), int(edges.max())) - first + 2
    owners = np.repeat(np.arange(series, dtype=np.int64), np.diff(offsets))
    keys = owners * span + (times - first)
    wanted = np.arange(series, dtype=np.int64)[:, None] * span + (edges - first)[None, :]
    return np.searchsorted(keys, wanted.ravel(), side="right").reshape(series, len(edges))


def windows_of(selection: Selection, ends: Ints, now: Ints, length: int, extension: str, lookback: int) -> Windows:
    """The windows of `length` milliseconds that end at `ends`."""
    before = lookback if extension else 0
    after = lookback if extension == "smoothed" else 0
    alive = ~stale_mask(selection.values)
    native = None if selection.histograms is None else occupied(selection.histograms)
    kept = alive if native is None else alive & ~native
    floats = _samples(selection, kept, selection.values, ends - length - before, ends + after)
    histograms = None
    if native is not None and (native & alive).any():
        assert selection.histograms is not None
        histograms = _samples(
            selection, native & alive, selection.histograms, ends - length - before, ends + after
        )  # fmt: skip
    return Windows(selection.labels, floats, histograms, ends, now, length, extension)


def _samples(selection: Selection, kept: Bools, values: Floats | Objects, low: Ints, high: Ints) -> Samples:
    if kept.all():
        offsets, times, chosen, starts = selection.offsets, selection.times, values, selection.starts
    else:
        offsets = np.concatenate(([0], np.cumsum(kept)))[selection.offsets]
        times, chosen = selection.times[kept], values[kept]
        starts = None if selection.starts is None else selection.starts[kept]
    starts = starts if starts is not None and starts.any() else None
    return Samples(times, chosen, bounds_in(offsets, times, low), bounds_in(offsets, times, high), starts)
