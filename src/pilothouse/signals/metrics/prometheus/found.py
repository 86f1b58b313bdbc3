"""The series that a selector found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pilothouse.signals.metrics.prometheus.metric import Metric, Part
from pilothouse.signals.metrics.promql.labels import Labels, LabelSets


@dataclass(frozen=True, slots=True)
class Found:
    """Its number in the tables, its metric and what of it is wanted, and its labels."""

    number: int
    metric: Metric
    part: Part
    labels: Labels


class FoundSeries(list[Found]):
    """Series that were found, with what is asked of all of them. Not to be changed once it is made."""

    def __init__(self, series: Iterable[Found] = ()) -> None:
        super().__init__(series)

    @cached_property
    def numbers(self) -> list[int]:
        """Their numbers in the tables."""
        return [series.number for series in self]

    @cached_property
    def labels(self) -> LabelSets:
        """Their labels."""
        return LabelSets([series.labels for series in self])

    @cached_property
    def metric(self) -> Metric | None:
        """Theirs, if all are of one."""
        metrics = {series.metric for series in self}
        return metrics.pop() if len(metrics) == 1 else None

    @cached_property
    def parts(self) -> frozenset[Part]:
        """What is wanted of them."""
        return frozenset(series.part for series in self)
