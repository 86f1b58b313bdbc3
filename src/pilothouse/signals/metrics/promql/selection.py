"""Where samples come from: the small interface between the evaluator and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matcher import Matcher
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints, Objects


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


@dataclass(frozen=True, slots=True)
class Windowing:
    """Windows of `length` milliseconds whose ends are `first`, then every `step`, `count` in all."""

    first: int
    step: int
    count: int
    length: int

    @property
    def last(self) -> int:
        return self.first + (self.count - 1) * self.step


@dataclass(slots=True)
class Gridded:
    """What a range function answers for each series and window: `values[series, window]` where `present`.

    `samples` is how many were read for it.
    """

    labels: list[Labels]
    values: Floats
    present: Bools
    samples: int


class Storage(Protocol):
    """A store of series."""

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        """The series that fit with their samples from `start` to `end` (milliseconds, both included)."""

    def gridded(self, function: str, matchers: Sequence[Matcher], windows: Windowing) -> Gridded | None:
        """A range function of the series that fit, if the store can work it out itself exactly as Prometheus does.

        `function` is a range function's name, or `latest` for the newest sample that is not stale.
        """


def nothing() -> Selection:
    """No series."""
    return Selection([], np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
