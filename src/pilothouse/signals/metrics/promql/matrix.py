"""Values of an evaluation: series by steps, as numpy matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.labels import Labels, in_order, is_repeated

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Objects = NDArray[Any]


def occupied(cells: Any) -> Bools:
    """Which of these cells hold something."""
    result: Bools = np.not_equal(cells, np.array(None, dtype=object))
    return result


SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(slots=True)
class Matrix:
    """An instant vector at each step: `values[series, step]` where `present`.

    A cell whose `histograms` entry is not None is a histogram; `histograms` is None when there is none at all.
    `drop_name[series]` says that the name is to be dropped in the end.
    """

    labels: list[Labels]
    values: Floats
    present: Bools
    histograms: Objects | None
    drop_name: Bools

    @property
    def native(self) -> Bools:
        """Which cells are histograms."""
        if self.histograms is None:
            return np.zeros(self.values.shape, dtype=bool)
        return occupied(self.histograms) & self.present

    @property
    def floats(self) -> Bools:
        """Which cells are numbers."""
        return self.present if self.histograms is None else self.present & ~self.native

    @property
    def steps(self) -> int:
        return int(self.values.shape[1])

    def rows(self, kept: NDArray[Any]) -> Matrix:
        """Just these series, in this order."""
        places = np.flatnonzero(kept) if kept.dtype == bool else kept
        return Matrix(
            [self.labels[place] for place in places],
            self.values[places],
            self.present[places],
            None if self.histograms is None else self.histograms[places],
            self.drop_name[places],
        )

    def masked(self, present: Bools) -> Matrix:
        """With fewer cells, and without the series that have none left."""
        narrowed = Matrix(self.labels, self.values, present, self.histograms, self.drop_name)
        kept: Bools = np.asarray(present.any(axis=1))
        return narrowed if kept.all() else narrowed.rows(kept)

    def relabelled(self, labels: list[Labels], drop_name: Bools | None = None) -> Matrix:
        """The same cells under other labels; equal ones are merged, or refused where they overlap."""
        drop = self.drop_name if drop_name is None else drop_name
        return merged(Matrix(labels, self.values, self.present, self.histograms, drop))

    def as_floats(self) -> Matrix:
        """Only the numbers."""
        if self.histograms is None:
            return self
        return Matrix(self.labels, self.values, self.floats, None, self.drop_name).masked(self.floats)

    def sorted(self) -> Matrix:
        """By labels."""
        order = in_order(self.labels)
        return self if order is None else self.rows(np.array(order, dtype=np.int64))


def empty(steps: int) -> Matrix:
    """No series."""
    return Matrix([], np.zeros((0, steps)), np.zeros((0, steps), bool), None, np.zeros(0, bool))


def matrix_of(
    labels: list[Labels],
    values: Floats,
    present: Bools,
    histograms: Objects | None = None,
    drop_name: Bools | bool = False,
) -> Matrix:
    """A matrix without its empty series."""
    if histograms is not None and not (occupied(histograms) & present).any():
        histograms = None
    drop = np.full(len(labels), drop_name) if isinstance(drop_name, bool) else drop_name
    return Matrix(labels, values, present, histograms, drop).masked(present)


def merged(matrix: Matrix) -> Matrix:
    """Series with the same labels become one; `ExecutionError` where two have a sample at the same step."""
    if not is_repeated(matrix.labels):
        return matrix
    first: dict[Labels, int] = {}
    kept = []
    values, present = matrix.values.copy(), matrix.present.copy()
    histograms = None if matrix.histograms is None else matrix.histograms.copy()
    for place, labels in enumerate(matrix.labels):
        target = first.setdefault(labels, place)
        if target == place:
            kept.append(place)
            continue
        added = present[place]
        if (present[target] & added).any():
            raise ExecutionError(SAME_LABELS)
        values[target] = np.where(added, values[place], values[target])
        if histograms is not None:
            histograms[target] = np.where(added, histograms[place], histograms[target])
        present[target] |= added
    whole = Matrix(matrix.labels, values, present, histograms, matrix.drop_name)
    return whole.rows(np.array(kept, dtype=np.int64))


def joined(parts: Sequence[Matrix], steps: int) -> Matrix:
    """The series of all, under each other."""
    parts = [part for part in parts if part.labels]
    if not parts:
        return empty(steps)
    if len(parts) == 1:
        return parts[0]
    histograms = None
    if any(part.histograms is not None for part in parts):
        histograms = np.concatenate(
            [
                part.histograms if part.histograms is not None else np.full(part.values.shape, None, dtype=object)
                for part in parts
            ]
        )
    return Matrix(
        [labels for part in parts for labels in part.labels],
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.present for part in parts]),
        histograms,
        np.concatenate([part.drop_name for part in parts]),
    )
