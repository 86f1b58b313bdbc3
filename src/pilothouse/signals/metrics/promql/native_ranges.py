"""Range functions on native histograms, window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.compensating import CompensatedHistogram
from pilothouse.signals.metrics.promql.histogram import Histogram, IncompatibleError
from pilothouse.signals.metrics.promql.matrix import Ints
from pilothouse.signals.metrics.promql.positions import Position

Histograms = Sequence[Histogram]


class Remarks:
    """Where the remarks about one window go: the name of its metric and the place in the query are known."""

    def __init__(self, annotations: Annotations, name: str, position: Position) -> None:
        self._annotations, self.name, self._position = annotations, name, position

    def warn(self, message: Callable[[str], str] | str) -> None:
        """A warning; a function gets the metric's name."""
        self._annotations.warn(message if isinstance(message, str) else message(self.name), self._position)

    def inform(self, message: Callable[[str], str] | str) -> None:
        """The same for an info."""
        self._annotations.inform(message if isinstance(message, str) else message(self.name), self._position)


def began_anew(before_start: int, before: int, start: int, time: int) -> bool:
    """Whether start times (0: unknown) say that a counter was reset between two samples; see `rates.start_resets`."""
    if start == 0 or start >= time or start < before:
        return False
    return start > before or 0 != before_start < before


@dataclass(slots=True)
class NativeWindow:
    """The histograms of a window, each with the time since which it counts (0: unknown)."""

    times: Ints
    points: Histograms
    starts: Sequence[int]
    begin: int
    end: int

    def extrapolated(self, is_counter: bool, remarks: Remarks) -> Histogram | None:
        """The change over the window, extrapolated to its ends; None with a warning if it cannot be told."""
        points, gaps = self.points, len(self.points) - 1
        first, last, start = int(self.times[0]), int(self.times[-1]), self.starts[0]
        result = change(points, self.resets(), is_counter, remarks) if gaps else None
        if gaps and result is None:
            return None
        if is_counter:
            self._check_starts(remarks)
        interval = (last - first) / 1000
        average = interval / gaps if gaps else 0.0
        to_start, to_end = (first - self.begin) / 1000, (self.end - last) / 1000
        if is_counter and self.begin < start < first:
            # It counted from zero inside of the window: nothing is to be guessed on that side.
            to_start, interval = 0.0, (last - start) / 1000
            result = points[0] if result is None else replace(result.plus(points[0])[0], hint=result.hint)
        elif result is None:
            return None
        else:
            to_start = average / 2 if to_start >= average * 1.1 else to_start
            if is_counter and result.count > 0 and points[0].count >= 0:
                to_start = min(to_start, interval * (points[0].count / result.count))
        to_end = average / 2 if to_end >= average * 1.1 else to_end
        return result.scaled((interval + to_start + to_end) / interval if interval else 1.0)

    def resets(self) -> list[bool]:
        """For each sample but the first whether it came after a reset."""
        times = self.times.tolist()
        return [
            began_anew(self.starts[place - 1], times[place - 1], self.starts[place], times[place])
            or self.points[place].resets(self.points[place - 1])
            for place in range(1, len(times))
        ]

    def _check_starts(self, remarks: Remarks) -> None:
        for place in range(1, len(self.times)):
            if overlaps(self.starts[place - 1], int(self.times[place - 1]), self.starts[place]):
                remarks.warn(say.start_overlap)


def overlaps(before_start: int, before: int, start: int) -> bool:
    """Whether a sample says that it counts from before the one before it, and not from where that did."""
    return start != 0 and start < before and start != before_start


def change(points: Histograms, resets: Sequence[bool], is_counter: bool, remarks: Remarks) -> Histogram | None:
    """The difference between last and first, with what was lost at resets added for counters; None if it cannot be.

    `resets` says for each but the first whether it came after a reset.
    """
    first, last = points[0], points[-1]
    before = first
    if is_counter:
        if any(point.hint == "gauge" for point in points):
            remarks.warn(say.not_counter)
        # A first sample before a reset does not matter, so its layout need not fit.
        if resets[0]:
            before = Histogram(schema=points[1].schema, custom=points[1].custom, zero_threshold=0.0)
            if not points[1].is_custom:
                before = replace(before, zero_threshold=points[1].zero_threshold)
    elif first.hint != "gauge" or last.hint != "gauge":
        remarks.warn(say.not_gauge)
    inner = points[1:-1] if is_counter else ()
    if any(point.is_custom != before.is_custom for point in (*inner, last)):
        remarks.warn(say.mixed_schemas)
        return None
    result, mismatched = last.minus(before)
    if mismatched:
        remarks.inform(say.reconciled("subtraction"))
    if is_counter:
        for point, is_reset in zip(points[1:], resets, strict=True):
            if is_reset:
                result, mismatched = result.plus(before)
                if mismatched:
                    remarks.inform(say.reconciled("addition"))
            before = point
    if not result.is_custom:
        result = result.reduced(min(point.schema for point in (before, last, *inner)))
    return replace(result.compacted(), hint="gauge")


def total(points: Histograms, remarks: Remarks) -> Histogram | None:
    """The sum of all; None with a warning when they do not fit together."""
    _collisions(points, remarks)
    result = CompensatedHistogram(points[0])
    try:
        for point in points[1:]:
            result.add(point)
    except IncompatibleError:
        remarks.warn(say.mixed_schemas)
        return None
    if result.reconciled:
        remarks.inform(say.reconciled("aggregation"))
    return result.value()


def mean(points: Histograms, remarks: Remarks) -> Histogram | None:
    """The mean of all, step by step when their sum would overflow."""
    _collisions(points, remarks)
    result, stepwise = CompensatedHistogram(points[0]), False
    try:
        for count, point in enumerate(points[1:], 2):
            if not stepwise:
                further = result.copy()
                further.add(point)
                if not further.total.has_overflow():
                    result = further
                    continue
                stepwise = True
                result.divide(count - 1)
            result.scale((count - 1) / count)
            result.add(point.divided(count))
    except IncompatibleError:
        remarks.warn(say.mixed_schemas)
        return None
    if result.reconciled:
        remarks.inform(say.reconciled("aggregation"))
    if not stepwise:
        result.divide(len(points))
    return result.value()


def instant_change(
    before: Histogram, last: Histogram, is_rate: bool, began: bool, remarks: Remarks
) -> Histogram | None:
    """Between the last two samples; `began`: start times tell of a reset between them."""
    gauges = [point.hint == "gauge" for point in (before, last)]
    if is_rate and any(gauges):
        remarks.warn(say.not_counter)
    if not is_rate and not all(gauges):
        remarks.warn(say.not_gauge)
    result = last
    if not is_rate or not (began or last.resets(before)):
        try:
            result, mismatched = last.minus(before)
        except IncompatibleError:
            remarks.warn(say.mixed_schemas)
            return None
        if mismatched:
            remarks.inform(say.reconciled("subtraction"))
    return replace(result.compacted(), hint="gauge")


def _collisions(points: Histograms, remarks: Remarks) -> None:
    if {"reset", "not_reset"} <= {point.hint for point in points}:
        remarks.warn(say.reset_collision("aggregation"))
