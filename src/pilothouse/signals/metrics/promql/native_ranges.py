"""Range functions on native histograms, window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.histogram import Histogram, IncompatibleError
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


def change(points: Histograms, is_counter: bool, remarks: Remarks) -> Histogram | None:
    """The difference between last and first, with what was lost at resets added for counters; None if it cannot be."""
    first, last = points[0], points[-1]
    before = first
    if is_counter:
        if any(point.hint == "gauge" for point in points):
            remarks.warn(say.not_counter)
        # A first sample before a reset does not matter, so its layout need not fit.
        if points[1].resets(first):
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
        for point in points[1:]:
            if point.resets(before):
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
    result, reconciled = points[0], False
    try:
        for point in points[1:]:
            result, mismatched = result.plus(point)
            reconciled |= mismatched
    except IncompatibleError:
        remarks.warn(say.mixed_schemas)
        return None
    if reconciled:
        remarks.inform(say.reconciled("aggregation"))
    return result


def mean(points: Histograms, remarks: Remarks) -> Histogram | None:
    """The mean of all, step by step when their sum would overflow."""
    result = total(points, remarks)
    if result is None:
        return None
    if result.has_overflow() and not any(point.has_overflow() for point in points):
        result = points[0]
        for count, point in enumerate(points[1:], 2):
            result = result.scaled((count - 1) / count).plus(point.divided(count))[0]
        return result
    return result.divided(len(points))


def instant_change(before: Histogram, last: Histogram, is_rate: bool, remarks: Remarks) -> Histogram | None:
    """Between the last two samples."""
    gauges = [point.hint == "gauge" for point in (before, last)]
    if is_rate and any(gauges):
        remarks.warn(say.not_counter)
    if not is_rate and not all(gauges):
        remarks.warn(say.not_gauge)
    result = last
    if not is_rate or not last.resets(before):
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
