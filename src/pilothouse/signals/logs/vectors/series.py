"""The nouns: steps in time, samples as they were read, series with a value (or none) at each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.errors import BadRequestError

Labels = tuple[tuple[str, str], ...]
Floats = NDArray[np.float64]
MOST_STEPS = 11_000


@dataclass(frozen=True, slots=True)
class Steps:
    """From `start` to `end`, both included, every `step` nanoseconds; an instant has one."""

    start: int
    end: int
    step: int

    def __post_init__(self) -> None:
        if self.count > MOST_STEPS:
            raise BadRequestError(
                f"exceeded maximum resolution of {MOST_STEPS:,} points per time series. Try increasing the value of "
                "the step parameter", "step",
            )  # fmt: skip

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.end - self.start) // self.step + 1

    @property
    def is_instant(self) -> bool:
        """Whether it is one point in time."""
        return self.start == self.end

    def times(self) -> NDArray[np.int64]:
        """Nanoseconds of all steps."""
        return self.start + np.arange(self.count, dtype=np.int64) * self.step


@dataclass(frozen=True, slots=True)
class Samples:
    """A series as it was read: `times` ascending; `counts` is how many lines stand behind each value."""

    labels: Labels
    times: NDArray[np.int64]
    values: Floats
    counts: Floats


@dataclass(frozen=True, slots=True)
class Series:
    """A value at each step where `present`."""

    labels: Labels
    values: Floats
    present: NDArray[np.bool_]

    def where(self, kept: Any) -> Series:
        """Only at these steps."""
        return Series(self.labels, self.values, self.present & kept)


def labels_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Labels in order; an empty value is no label."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value != ""))


def only(labels: Labels, names: Iterable[str]) -> Labels:
    """Just these."""
    wanted = frozenset(names)
    return tuple(pair for pair in labels if pair[0] in wanted)


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """All but these."""
    unwanted = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in unwanted)


def constant(labels: Labels, value: float, count: int) -> Series:
    """The same value at every step."""
    return Series(labels, np.full(count, value), np.ones(count, np.bool_))
