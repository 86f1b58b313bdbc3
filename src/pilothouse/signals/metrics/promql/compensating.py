"""Sums of native histograms that stay exact where large numbers cancel: each number of them by Kahan's rule."""

from __future__ import annotations

from dataclasses import replace

from pilothouse.signals.metrics.promql.histogram import Buckets, Histogram, IncompatibleError
from pilothouse.signals.metrics.promql.summing import increment


class CompensatedHistogram:
    """A running total of histograms with, in the same layout, what rounding has cost it so far."""

    def __init__(self, first: Histogram) -> None:
        self.total, self._rest = first, _nothing_like(first)
        self.reconciled = False

    def copy(self) -> CompensatedHistogram:
        """Another that begins where this one is."""
        other = CompensatedHistogram(self.total)
        other._rest, other.reconciled = self._rest, self.reconciled
        return other

    def add(self, other: Histogram) -> None:
        """One more histogram; raises `IncompatibleError` for exponential and custom buckets together."""
        if not self.total.same_layout(other):
            self._relayout(other)
            other = _laid_out(other, self.total)
        total, rest = self.total, self._rest
        count, count_rest = increment(other.count, total.count, rest.count)
        sums, sums_rest = increment(other.sum, total.sum, rest.sum)
        zero, zero_rest = increment(other.zero_count, total.zero_count, rest.zero_count)
        positive, positive_rest = _incremented(other.positive, total.positive, rest.positive)
        negative, negative_rest = _incremented(other.negative, total.negative, rest.negative)
        self.total = replace(
            total, count=count, sum=sums, zero_count=zero, positive=positive, negative=negative,
            hint=total.hint_with(other),
        )  # fmt: skip
        self._rest = replace(
            rest, count=count_rest, sum=sums_rest, zero_count=zero_rest, positive=positive_rest,
            negative=negative_rest,
        )  # fmt: skip

    def scale(self, factor: float) -> None:
        """Each number multiplied."""
        self.total, self._rest = self.total.scaled(factor), self._rest.scaled(factor)

    def divide(self, divisor: float) -> None:
        """Each number divided."""
        self.total, self._rest = self.total.divided(divisor), self._rest.divided(divisor)

    def value(self) -> Histogram:
        """The total with all that rounding has cost."""
        total = self.total
        return replace(total.plus(self._rest)[0], hint=total.hint)

    def _relayout(self, other: Histogram) -> None:
        """To the coarser of both layouts."""
        if self.total.is_custom != other.is_custom:
            raise IncompatibleError
        self.reconciled |= self.total.custom != other.custom
        empty = _nothing_like(other)
        self.total = replace(self.total.plus(empty)[0], hint=self.total.hint)
        self._rest = _laid_out(self._rest, self.total)


def _nothing_like(histogram: Histogram) -> Histogram:
    return Histogram(schema=histogram.schema, custom=histogram.custom, zero_threshold=histogram.zero_threshold)


def _laid_out(histogram: Histogram, like: Histogram) -> Histogram:
    """In a layout that is as coarse or coarser."""
    return replace(_nothing_like(like).plus(histogram)[0], hint=histogram.hint)


def _incremented(values: Buckets, totals: Buckets, rests: Buckets) -> tuple[Buckets, Buckets]:
    totals, rests = dict(totals), dict(rests)
    for index, value in values.items():
        total, rest = increment(value, totals.get(index, 0.0), rests.get(index, 0.0))
        totals[index] = total
        if rest or index in rests:
            rests[index] = rest
    return totals, rests
