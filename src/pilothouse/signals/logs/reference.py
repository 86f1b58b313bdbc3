"""The slow path: entries one by one through the pipeline, for lines and for numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.pipeline import Entry, Pipeline, Sampler
from pilothouse.signals.logs.vectors.evaluating import MOST_SERIES, grouped, too_many_series
from pilothouse.signals.logs.vectors.series import Labels, Samples, labels_of


def lines(query: tree.LogQuery, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that stay, changed by the pipeline."""
    pipeline = Pipeline(query.stages)
    return (entry for entry in entries if pipeline.run(entry))


@dataclass
class Sampling:
    """Gathers the samples of an aggregation; `add` takes entries in any order."""

    aggregation: tree.RangeAggregation
    grouping: tree.Grouping | None
    _found: dict[Labels, tuple[list[int], list[float]]] = field(default_factory=dict)

    def add(self, entries: Iterable[Entry]) -> None:
        """Put the samples of these entries to their series; raises `BadRequestError` at a pipeline's error."""
        sampler, unwrap = Sampler(self.aggregation), self.aggregation.unwrap
        dropped = unwrap.label if unwrap else ""
        by = self.grouping if self.grouping and not self.grouping.without else None
        for entry in entries:
            value = sampler.sample(entry)
            if value is None:
                continue
            if by:
                pairs = ((name, entry.get(name) or "") for name in by.labels)
                labels = labels_of(pairs)
            else:
                known = entry.labels()
                known.pop(dropped, None)
                labels = grouped(labels_of(known), self.grouping)
            times, values = self._found.setdefault(labels, ([], []))
            times.append(entry.time)
            values.append(value)
            if len(self._found) > MOST_SERIES:
                raise too_many_series()

    def samples(self) -> list[Samples]:
        """All series, times ascending."""
        found = []
        for labels, (times, values) in self._found.items():
            moments = np.array(times, np.int64)
            order = np.argsort(moments, kind="stable")
            found.append(Samples(labels, moments[order], np.array(values)[order], np.ones(len(order))))
        return found
