"""Range functions as a whole: numbers at once, histograms window by window, with the remarks of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql import native_ranges as native
from pilothouse.signals.metrics.promql import over_time, rates
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.extending import ExtendedWindow
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import Labels, names
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Objects
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.windows import Windows

Found = tuple[Floats, Bools, Objects | None]
_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")
_RATES = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
_INSTANT = {"irate": True, "idelta": False}
ANCHORED = ("changes", "delta", "increase", "rate", "resets")
SMOOTHED = ("delta", "increase", "rate")


def apply(
    name: str, windows: Windows, scalars: Sequence[Floats], annotations: Annotations, positions: Sequence[Position]
) -> Found:
    """What a range function answers. `scalars` are its other arguments at each step, `positions` all arguments'."""
    return _Ranging(name, windows, scalars, annotations, positions).found()


def check_counters(labels: Sequence[Labels], present: Bools, annotations: Annotations, position: Position) -> None:
    """Remark on series of `rate` and `increase` whose names are not those of counters."""
    used = np.asarray(present.any(axis=1))
    for name in names(labels if used.all() else [labels[row] for row in np.flatnonzero(used).tolist()]):
        if name and not name.endswith(_COUNTER_SUFFIXES):
            annotations.inform(say.possible_non_counter(name), position)


class _Ranging:
    def __init__(
        self, name: str, windows: Windows, scalars: Sequence[Floats], annotations: Annotations,
        positions: Sequence[Position],
    ) -> None:  # fmt: skip
        self.name, self.windows, self.scalars = name, windows, scalars
        self.annotations, self.positions = annotations, positions

    def found(self) -> Found:
        values, present = self._numbers()
        if self.name in ("rate", "increase"):
            check_counters(self.windows.labels, present, self.annotations, self._position)
            self._check_starts()
        if self.windows.histograms is None or not self.windows.histograms.counts.any():
            return values, present, None
        return self._with_histograms(values, present)

    def _check_starts(self) -> None:
        """Remark on counters whose samples say that they count from before the sample before them."""
        floats = self.windows.floats
        if floats.starts is None or self.windows.extension or len(floats.starts) < 2:
            return
        before, start = floats.starts[:-1], floats.starts[1:]
        odd = (start != 0) & (start < floats.times[:-1]) & (start != before)
        counts = np.concatenate(([0, 0], np.cumsum(odd)))
        inside = counts[np.maximum(floats.high, 1)] - counts[np.minimum(floats.low + 1, len(counts) - 1)]
        for row in np.flatnonzero(((inside > 0) & (floats.counts > 1)).any(axis=1)).tolist():
            self.annotations.warn(say.start_overlap(self.windows.labels[row].name), self._position)

    def _numbers(self) -> over_time.Answer:
        windows, name = self.windows, self.name
        if name in over_time.SIMPLE:
            return over_time.SIMPLE[name](windows)
        if name in _RATES:
            return rates.extrapolated(windows, *_RATES[name])
        if name in _INSTANT:
            return rates.instant(windows, _INSTANT[name])
        return getattr(self, f"_{name}")()  # type: ignore[no-any-return]

    def _count_over_time(self) -> over_time.Answer:
        counts = self.windows.floats.counts + self.windows.histogram_counts
        return counts.astype(np.float64), counts > 0

    def _present_over_time(self) -> over_time.Answer:
        counts, present = self._count_over_time()
        return np.ones(counts.shape), present

    _absent_over_time = _present_over_time

    def _resets(self) -> over_time.Answer:
        return over_time.resets(self.windows, rates.falls(self.windows.floats))

    def _quantile_over_time(self) -> over_time.Answer:
        quantiles = self.scalars[0]
        answer = over_time.quantile_over_time(self.windows, quantiles)
        used = answer[1].any(axis=0)
        for value in dict.fromkeys(quantiles[used & ~((quantiles >= 0) & (quantiles <= 1))].tolist()):
            self.annotations.warn(say.invalid_quantile(value), self.positions[0])
        return answer

    def _predict_linear(self) -> over_time.Answer:
        return over_time.predict_linear(self.windows, self.scalars[0])

    def _double_exponential_smoothing(self) -> over_time.Answer:
        for factor, said in zip(self.scalars, ("smoothing", "trend"), strict=True):
            wrong = factor[~((factor > 0) & (factor < 1))]
            if len(wrong) and self.windows.labels:
                letter = said[0]
                raise ExecutionError(f"invalid {said} factor. Expected: 0 < {letter}f < 1, got: {float(wrong[0]):f}")
        return over_time.double_exponential_smoothing(self.windows, *self.scalars)

    def _ts_of_max_over_time(self) -> over_time.Answer:
        return over_time.time_of_extreme(self.windows, largest=True)

    def _ts_of_min_over_time(self) -> over_time.Answer:
        return over_time.time_of_extreme(self.windows, largest=False)

    def _ts_of_first_over_time(self) -> over_time.Answer:
        return self._edge_time(last=False)

    def _ts_of_last_over_time(self) -> over_time.Answer:
        return self._edge_time(last=True)

    def _edge_time(self, last: bool) -> over_time.Answer:
        windows = self.windows
        worst = np.iinfo(np.int64).min if last else np.iinfo(np.int64).max
        found = np.full(windows.shape, worst)
        for samples in (windows.floats, windows.histograms):
            if samples is not None:
                times = samples.time_at(samples.high - 1 if last else samples.low)
                better = (np.maximum if last else np.minimum)(found, times)
                found = np.where(samples.counts > 0, better, found)
        return found / 1000, found != worst

    @property
    def _position(self) -> Position:
        return self.positions[1 if self.name == "quantile_over_time" else 0]

    def _with_histograms(self, values: Floats, present: Bools) -> Found:
        windows = self.windows
        assert windows.histograms is not None
        histograms = np.full(windows.shape, None, dtype=object)
        whole = _WHOLE.get(self.name)
        for place in zip(*np.nonzero(windows.histograms.counts > 0), strict=True):
            row, _column = place
            remarks = native.Remarks(self.annotations, windows.labels[row].name, self._position)
            low, high = windows.histograms.low[place], windows.histograms.high[place]
            points = windows.histograms.values[low:high].tolist()
            numbers = int(windows.floats.counts[place])
            if whole is None:
                if (self.name not in _COUNTING and numbers and present[place]) or (
                    self.name in _PAIRED and numbers == 1
                ):
                    remarks.inform(say.ignored_in_range)
                continue
            value = whole(self, place, points, numbers, remarks)
            present[place] = value is not None
            if isinstance(value, Histogram):
                histograms[place] = value
            elif value is not None:
                values[place] = value
        return values, present, histograms

    # Each takes a window with histograms; answers a number, a histogram or nothing.

    def _rate_of(
        self, place: tuple[int, int], points: list[Histogram], numbers: int, remarks: native.Remarks
    ) -> Histogram | None:
        is_counter, is_rate = _RATES[self.name]
        windows = self.windows
        if numbers or windows.histograms is None:
            remarks.warn(say.mixed_floats)
            return None
        low, high = windows.histograms.low[place], windows.histograms.high[place]
        times, end = windows.histograms.times[low:high], int(windows.ends[place[1]])
        if windows.extension:
            extended = ExtendedWindow(times, points, end - windows.range, end, windows.extension == "smoothed")
            result = extended.change(is_counter, remarks)
            return result.divided(windows.seconds) if result is not None and is_rate else result
        window = native.NativeWindow(times, points, windows.histograms.starts_in(low, high), end - windows.range, end)
        result = window.extrapolated(is_counter, remarks)
        return result.divided(windows.seconds) if result is not None and is_rate else result

    def _instant_of(
        self, place: tuple[int, int], points: list[Histogram], numbers: int, remarks: native.Remarks
    ) -> Any:
        is_rate = _INSTANT[self.name]
        merged = self._in_order(place)[-2:]
        if len(merged) < 2 or merged[0][0] == merged[1][0]:
            return None
        (before, first, begun), (now, last, started) = merged
        is_reset = native.began_anew(begun, before, started, now)
        if not (isinstance(first, Histogram) and isinstance(last, Histogram)):
            if isinstance(first, Histogram) or isinstance(last, Histogram):
                remarks.warn(say.mixed_floats)
                return None
            change = last - first if not is_rate or not (last < first or is_reset) else last
            return change / ((now - before) / 1000) if is_rate else change
        result = native.instant_change(first, last, is_rate, is_reset, remarks)
        if result is None or not is_rate:
            return result
        return result.divided((now - before) / 1000)

    def _in_order(self, place: tuple[int, int]) -> list[tuple[int, Any, int]]:
        """The samples of a window, numbers and histograms together, by time; each with its start (0: unknown)."""
        found: list[tuple[int, Any, int]] = []
        for samples in (self.windows.floats, self.windows.histograms):
            assert samples is not None
            low, high = samples.low[place], samples.high[place]
            times, values = samples.times[low:high].tolist(), samples.values[low:high].tolist()
            found += zip(times, values, samples.starts_in(low, high), strict=True)
        return sorted(found, key=lambda sample: sample[0])

    def _anchored(self, place: tuple[int, int]) -> list[tuple[int, Any, int]]:
        """The same from the last sample on that is not after the window's begin, when the window is extended."""
        samples = self._in_order(place)
        if not self.windows.extension:
            return samples
        begin = int(self.windows.ends[place[1]]) - self.windows.range
        before = sum(time <= begin for time, *_ in samples)
        return samples[max(before - 1, 0) :] if before < len(samples) else []

    def _combined(
        self, place: tuple[int, int], points: list[Histogram], numbers: int, remarks: native.Remarks
    ) -> Histogram | None:
        if numbers:
            remarks.warn(say.mixed_floats)
            return None
        return (native.total if self.name == "sum_over_time" else native.mean)(points, remarks)

    def _edge(self, place: tuple[int, int], points: list[Histogram], numbers: int, remarks: native.Remarks) -> Any:
        return self._in_order(place)[-1 if self.name == "last_over_time" else 0][1]

    def _turns(
        self, place: tuple[int, int], points: list[Histogram], numbers: int, remarks: native.Remarks
    ) -> float | None:
        count = 0
        samples = self._anchored(place)
        if not samples:
            return None
        for (earlier, before, begun), (time, now, started) in itertools.pairwise(samples):
            is_reset = self.name == "resets" and native.began_anew(begun, earlier, started, time)
            if isinstance(before, Histogram) and isinstance(now, Histogram):
                count += is_reset or now.resets(before) if self.name == "resets" else not now.same(before)
            elif isinstance(before, Histogram) or isinstance(now, Histogram):
                count += 1
            elif self.name == "resets":
                count += is_reset or now < before
            else:
                count += now != before and not (now != now and before != before)
        return float(count)


_Whole = Callable[[_Ranging, tuple[int, int], list[Histogram], int, native.Remarks], Any]
_WHOLE: dict[str, _Whole] = {
    "rate": _Ranging._rate_of,
    "increase": _Ranging._rate_of,
    "delta": _Ranging._rate_of,
    "irate": _Ranging._instant_of,
    "idelta": _Ranging._instant_of,
    "sum_over_time": _Ranging._combined,
    "avg_over_time": _Ranging._combined,
    "last_over_time": _Ranging._edge,
    "first_over_time": _Ranging._edge,
    "changes": _Ranging._turns,
    "resets": _Ranging._turns,
}
# What counts histograms like numbers, and what needs two numbers.
_COUNTING = frozenset(
    ("count_over_time", "present_over_time", "absent_over_time", "ts_of_first_over_time", "ts_of_last_over_time")
)
_PAIRED = frozenset(("deriv", "predict_linear", "double_exponential_smoothing", "integral"))
