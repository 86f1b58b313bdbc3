"""Samples of many series in memory, each series' one after the other with room for more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.metrics.decimals import restored
from pilothouse.signals.metrics.promql import windowing
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints
from pilothouse.signals.metrics.promql.selection import Windowing

# Room that each series gets for samples to come: a quarter more than it has, and so many.
_MORE = 16


@dataclass(slots=True)
class Rows:
    """Rows of `samples` as they were read: by series and time (milliseconds); values as `decimals` keeps them."""

    series: NDArray[np.uint64]
    times: Ints
    numbers: Ints
    divisors: NDArray[np.float32]


class Read:
    """What was read, in the blocks that it came in: an answer is not copied before it is taken apart."""

    def __init__(self, blocks: Iterable[Rows]) -> None:
        self.blocks = [block for block in blocks if len(block.times)]

    def __len__(self) -> int:
        return sum(len(block.times) for block in self.blocks)

    def plain(self) -> tuple[NDArray[np.uint64], Ints, Floats]:
        """Series, times and values; of rows with the same series and time just the last."""
        if not self.blocks:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0)
        series = np.concatenate([block.series for block in self.blocks])
        times = np.concatenate([block.times for block in self.blocks])
        values = np.concatenate([restored(block.numbers, block.divisors) for block in self.blocks])
        last = np.append((series[1:] != series[:-1]) | (times[1:] != times[:-1]), True)
        return (series, times, values) if last.all() else (series[last], times[last], values[last])

    def gathered(self, base: int) -> Gathered:
        """In the form of `windowing.gathered`, whatever block a series begins and ends in."""
        near, values = np.empty(len(self), np.int32), np.empty(len(self))
        series: list[NDArray[np.uint64]] = []
        begins: list[Ints] = []
        kept, last = 0, None
        for block in self.blocks:
            goes_on = last is not None and last == block.series[0]
            if goes_on and near[kept - 1] == block.times[0] - base:
                kept -= 1
            room = slice(kept, kept + len(block.times))
            found, starts, count = windowing.gathered(
                block.series, block.times, block.numbers, block.divisors, base, near[room], values[room]
            )
            series.append(found[1:] if goes_on else found)
            begins.append(starts[1:-1] + kept if goes_on else starts[:-1] + kept)
            kept, last = kept + count, block.series[-1]
        ends = np.array([kept], np.int64)
        if not series:
            return Gathered(np.zeros(0, np.uint64), ends, near, values)
        return Gathered(np.concatenate(series), np.concatenate([*begins, ends]), near[:kept], values[:kept])


@dataclass(slots=True)
class Gathered:
    """Series, where each begins (and all end), times in milliseconds after a base, values."""

    series: NDArray[np.uint64]
    begins: Ints
    times: NDArray[np.int32]
    values: Floats

    @staticmethod
    def together(parts: list[Gathered]) -> Gathered:
        """One after the other; no series is in two of them."""
        if len(parts) == 1:
            return parts[0]
        shifts = np.cumsum([0, *(len(part.times) for part in parts)])
        begins = [part.begins[:-1] + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
        return Gathered(
            np.concatenate([part.series for part in parts]),
            np.concatenate([*begins, shifts[-1:]]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


class Held:
    """Series of which all samples from `low` to `high` (milliseconds, both included) are here.

    Series `row` owns the places from `begins[row]` to just before `ends[row]`; its room ends at `limits[row]`. `times`
    are milliseconds after `base`.
    """

    def __init__(self, numbers: list[int], low: int, high: int, pieces: Iterable[Read]) -> None:
        """`numbers` are the series, in the order of their rows. Raises `OverflowError` when the times are too far
        apart."""
        self.low, self.high = low, high
        # That of the first sample, as soon as it is known.
        self.base, self._is_based = max(low, 0), False
        self.rows: dict[int, int] = {}
        self.numbers: list[int] = []
        # Another list that is known to hold the same.
        self._same: list[int] | None = None
        nothing = np.zeros(0, np.int64)
        self.begins, self.ends, self.limits = nothing, nothing, nothing
        # The first samples stay where they were written: there is no room between series until more come.
        found = self._gathered(pieces)
        series, begins, self.times, self.values = found.series, found.begins, found.times, found.values
        self.add_series(numbers)
        rows = self._rows_of(series)
        known = rows >= 0
        self.begins[rows[known]], self.ends[rows[known]] = begins[:-1][known], begins[1:][known]
        self.limits = self.ends.copy()

    @property
    def size(self) -> int:
        """Bytes."""
        return self.times.nbytes + self.values.nbytes + 24 * len(self.begins) + 100 * len(self.rows)

    def places_of(self, numbers: list[int]) -> Ints:
        """The rows of series that are all here."""
        if numbers is self._same or numbers == self.numbers:
            self._same = numbers
            return np.arange(len(numbers), dtype=np.int64)
        return np.fromiter(map(self.rows.__getitem__, numbers), np.int64, len(numbers))

    def missing(self, numbers: list[int]) -> list[int]:
        """Those of these series that are not here."""
        return (
            []
            if numbers is self._same or numbers == self.numbers
            else [number for number in numbers if number not in self.rows]
        )

    def add_series(self, numbers: list[int]) -> None:
        """Series without samples yet."""
        for number in numbers:
            self.rows[number] = len(self.rows)
        self.numbers += numbers
        self._same = None
        ends = np.full(len(numbers), len(self.times), np.int64)
        self.begins, self.ends, self.limits = (
            np.concatenate((known, ends)) for known in (self.begins, self.ends, self.limits)
        )

    def cut(self, time: int) -> None:
        """Forget the samples from `time` on."""
        self.ends = self._until(time - 1 - self.base)

    def append(self, pieces: Iterable[Read]) -> None:
        """Samples that are newer than all that their series have. Those of series that are not here are left out."""
        found = self._gathered(pieces)
        series, begins, times, values = found.series, found.begins, found.times, found.values
        if not len(times):
            return
        rows, counts = self._rows_of(series), np.diff(begins)
        known = rows >= 0
        more = np.zeros(len(self.begins), np.int64)
        more[rows[known]] = counts[known]
        if (self.ends + more > self.limits).any():
            self._make_room(more)
        # Where each run of the answer goes, and then each of its samples.
        shifts = np.where(known, self.ends[rows], 0) - begins[:-1]
        places = np.arange(len(times)) + np.repeat(shifts, counts)
        if not known.all():
            wanted = np.repeat(known, counts)
            places, times, values = places[wanted], times[wanted], values[wanted]
        self.times[places], self.values[places] = times, values
        self.ends = self.ends + more

    def _gathered(self, pieces: Iterable[Read]) -> Gathered:
        parts = []
        for read in pieces:
            if read.blocks and not self._is_based:
                self.base, self._is_based = int(read.blocks[0].times[0]), True
            parts.append(read.gathered(self.base))
        return Gathered.together(parts)

    def _rows_of(self, series: NDArray[np.uint64]) -> Ints:
        """The rows of series, -1 of those that are not here."""
        return np.array([self.rows.get(number, -1) for number in series.tolist()], np.int64)

    def samples(self, rows: Ints, start: int, end: int) -> tuple[Ints, Ints, Floats]:
        """Those of some series between two times, both included: offsets, times and values."""
        firsts = self._until(start - 1 - self.base)[rows]
        counts = np.maximum(self._until(end - self.base)[rows] - firsts, 0)
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        places = np.arange(int(offsets[-1])) + np.repeat(firsts - offsets[:-1], counts)
        return offsets, self.times[places].astype(np.int64) + self.base, self.values[places]

    def windowed(self, function: str, rows: Ints, windows: Windowing) -> tuple[Floats, Bools, int]:
        """A range function of some series: values [rows, windows], where there are any, how many samples were read."""
        spans = self.begins, self.ends
        return windowing.windowed(function, self.times, self.values, spans, rows, self.base, windows)

    def _until(self, time: int) -> Ints:
        """For each series the place of the first sample after a time: all looked for at once, by halves."""
        low, high = self.begins.copy(), self.ends.copy()
        while (between := low < high).any():
            middle = (low + high) // 2
            before = self.times[np.minimum(middle, len(self.times) - 1)] <= time
            low = np.where(between & before, middle + 1, low)
            high = np.where(between & ~before, middle, high)
        return low

    def _make_room(self, more: Ints) -> None:
        counts = self.ends - self.begins
        wanted = counts + more
        room = wanted + (wanted // 4 if counts.any() else 0) + _MORE
        limits = np.cumsum(room)
        begins = limits - room
        times, values = np.zeros(int(limits[-1]), np.int32), np.zeros(int(limits[-1]))
        if counts.any():
            order = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
            to, of = order + np.repeat(begins, counts), order + np.repeat(self.begins, counts)
            times[to], values[to] = self.times[of], self.values[of]
        self.times, self.values = times, values
        self.begins, self.ends, self.limits = begins, begins + counts, limits
