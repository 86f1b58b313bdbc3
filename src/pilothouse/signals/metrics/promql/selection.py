"""Where samples come from: the small interface between the evaluator and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.matrix import Floats, Ints, Objects


@dataclass(slots=True)
class Selection:
    """Series with their samples, one after the other: series `i` owns `offsets[i]` to just before `offsets[i + 1]`.

    `times` are milliseconds and ascend within a series. A sample whose `histograms` entry is not None is a histogram.
    `starts` are the times since which counters count (0: unknown). Stale markers are in.
    """

    labels: list[Labels]
    offsets: Ints
    times: Ints
    values: Floats
    histograms: Objects | None = None
    starts: Ints | None = None

    @property
    def size(self) -> int:
        """How many samples there are; a histogram counts for several, as in Prometheus."""
        return len(self.times)

    @property
    def owners(self) -> Ints:
        """For each sample the place of its series."""
        return np.repeat(np.arange(len(self.labels), dtype=np.int64), np.diff(self.offsets))


class Storage(Protocol):
    """A store of series."""

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """The series that fit with their samples from `start` to `end` (milliseconds, both included), by labels."""


def nothing() -> Selection:
    """No series."""
    return Selection([], np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
