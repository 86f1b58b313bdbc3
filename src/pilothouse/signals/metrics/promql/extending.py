"""`anchored` and `smoothed` on native histograms: the values at a window's ends are picked or interpolated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql.histogram import Histogram, IncompatibleError
from pilothouse.signals.metrics.promql.matrix import Ints
from pilothouse.signals.metrics.promql.native_ranges import Remarks


@dataclass(slots=True)
class ExtendedWindow:
    """The histograms of a window with their neighbours on both sides, up to the lookback away."""

    times: Ints
    points: Sequence[Histogram]
    begin: int
    end: int
    smoothed: bool

    def change(self, is_counter: bool, remarks: Remarks) -> Histogram | None:
        """`increase` (`delta` when it is no counter) without extrapolation; None with a warning if it cannot be."""
        last = len(self.times) - 1
        first = max(0, int(np.searchsorted(self.times[:last], self.begin, side="right")) - 1)
        if self.smoothed:
            last = int(np.searchsorted(self.times[:last], self.end, side="left"))
        if self.times[last] <= self.begin or (self.smoothed and self.times[first] > self.end):
            return None
        if not self._is_regular(first, last, is_counter, remarks):
            return None
        try:
            return self._between(first, last, is_counter, remarks)
        except IncompatibleError:
            remarks.warn(say.mixed_schemas)
            return None

    def _is_regular(self, first: int, last: int, is_counter: bool, remarks: Remarks) -> bool:
        used = self.points[first : last + 1]
        if len({point.is_custom for point in used}) > 1:
            remarks.warn(say.mixed_schemas)
            return False
        if is_counter and any(point.hint == "gauge" for point in used):
            remarks.warn(say.not_counter)
        return True

    def _between(self, first: int, last: int, is_counter: bool, remarks: Remarks) -> Histogram:
        left, right = self.points[first], self.points[last]
        is_cut = self.smoothed and self.times[first] < self.begin
        if is_cut:
            left = self.at(first, self.begin, is_counter, remarks)
        if self.smoothed and last > 0 and self.times[last] > self.end:
            right = self.at(last - 1, self.end, is_counter, remarks)
        if not is_counter and not left.hint == right.hint == "gauge":
            remarks.warn(say.not_gauge)
        result, mismatched = right.minus(left)
        if mismatched:
            remarks.inform(say.reconciled("subtraction"))
        if is_counter:
            for lost in self._lost(first, last, left, right, is_cut):
                result, mismatched = result.plus(lost)
                if mismatched:
                    remarks.inform(say.reconciled("addition"))
        return replace(result.compacted(), hint="gauge")

    def _lost(self, first: int, last: int, left: Histogram, right: Histogram, is_cut: bool) -> list[Histogram]:
        """What the counter had reached at each reset between both ends."""
        before, begin = left, first + 1
        # A left end that was interpolated over a reset has accounted for it.
        if is_cut and self.points[first + 1].resets(self.points[first]):
            before, begin = self.points[first + 1], begin + 1
        if begin > last:
            return []
        found = []
        for point in (*self.points[begin:last], right):
            if point.resets(before):
                found.append(before)
            before = point
        return found

    def at(self, place: int, time: int, is_counter: bool, remarks: Remarks) -> Histogram:
        """The histogram at `time` between two samples; a counter that was reset is taken to have begun at zero."""
        before, after = self.points[place], self.points[place + 1]
        begin, end = int(self.times[place]), int(self.times[place + 1])
        if time in (begin, end):
            return before if time == begin else after
        share = (time - begin) / (end - begin)
        if is_counter and after.resets(before):
            return after.scaled(share)
        difference, mismatched = after.minus(before)
        if mismatched:
            remarks.inform(say.reconciled("subtraction"))
        result, mismatched = difference.scaled(share).plus(before)
        if mismatched:
            remarks.inform(say.reconciled("addition"))
        return replace(result, hint=after.hint)

    def value(self, remarks: Remarks) -> Histogram | None:
        """What a smoothed selector sees at the window's end: a sample, one between two, or the last one."""
        place = int(np.searchsorted(self.times, self.end, side="left"))
        if place < len(self.times) and self.times[place] == self.end:
            return self.points[place]
        if place == 0:
            return None
        before = self.points[place - 1]
        if place == len(self.times):
            return replace(before, hint="unknown")
        after = self.points[place]
        try:
            if before.is_custom != after.is_custom:
                raise IncompatibleError
            return self.at(place - 1, self.end, not before.hint == after.hint == "gauge", remarks)
        except IncompatibleError:
            remarks.warn(say.mixed_schemas)
            return None
