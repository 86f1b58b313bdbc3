"""Functions over histograms of both kinds: classic buckets gathered from series by `le`, and native ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql import quantiles
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import Labels
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Ints, Matrix, joined, matrix_of
from pilothouse.signals.metrics.promql.numbers import parse_bound
from pilothouse.signals.metrics.promql.positions import Position

# What a function of classic buckets answers for some steps: from bounds [buckets], counts [buckets, steps] and steps.
Classic = Callable[[Labels, Floats, Floats, Ints], Floats]
Native = Callable[[Labels, Histogram, int], float]


@dataclass(slots=True)
class Gathered:
    """The histograms of an instant vector: rows of each classic one with their bounds, and the native rows."""

    matrix: Matrix
    classic: dict[Labels, list[tuple[float, int]]]
    native: Matrix | None
    hidden: dict[Labels, Bools]


def gather(matrix: Matrix, annotations: Annotations, position: Position) -> Gathered:
    """Sort the series of a vector into histograms. Where both kinds are there at a step, neither counts."""
    classic: dict[Labels, list[tuple[float, int]]] = {}
    numbers = matrix.floats
    for row, labels in enumerate(matrix.labels):
        if not numbers[row].any():
            continue
        text = labels.get("le")
        try:
            upper = parse_bound(text)
        except ValueError:
            annotations.warn(say.bad_bucket(labels.name, text), position)
            continue
        if upper == upper:
            classic.setdefault(labels.without(("le",)), []).append((upper, row))
    is_native = matrix.native
    native = None if not is_native.any() else Matrix(
        matrix.labels, matrix.values, is_native.copy(), matrix.histograms, matrix.drop_name
    )  # fmt: skip
    hidden: dict[Labels, Bools] = {}
    if native is not None:
        for row, labels in enumerate(native.labels):
            if (rows := classic.get(labels)) and native.present[row].any():
                both = native.present[row] & numbers[[place for _, place in rows]].any(axis=0)
                if both.any():
                    annotations.warn(say.mixed_classic(labels.name), position)
                    native.present[row] &= ~both
                    hidden[labels] = both
    return Gathered(matrix, classic, native, hidden)


def apply(gathered: Gathered, classic: Classic, native: Native) -> Matrix:
    """A function of each histogram at each step."""
    matrix = gathered.matrix
    numbers = matrix.floats
    labels: list[Labels] = []
    values = np.zeros((len(gathered.classic), matrix.steps))
    present = np.zeros(values.shape, dtype=bool)
    drop = np.zeros(len(gathered.classic), dtype=bool)
    for place, (name, rows) in enumerate(gathered.classic.items()):
        labels.append(name)
        drop[place] = matrix.drop_name[rows[0][1]]
        hidden = gathered.hidden.get(name)
        there = numbers[[row for _, row in rows]]
        if hidden is not None:
            there = there & ~hidden[None, :]
        for uppers, counts, steps in _patterns(matrix, rows, there):
            values[place, steps] = classic(name, uppers, counts, steps)
            present[place, steps] = True
    parts = [matrix_of(labels, values, present, None, drop)]
    if gathered.native is not None:
        parts.append(_on_native(gathered.native, native))
    return joined(parts, matrix.steps)


def _patterns(matrix: Matrix, rows: list[tuple[float, int]], there: Bools) -> Iterator[tuple[Floats, Floats, Ints]]:
    """Bounds and counts, for the steps at which the same buckets are there."""
    order = sorted(range(len(rows)), key=lambda place: rows[place][0])
    there = there[order]
    used = np.flatnonzero(there.any(axis=0))
    if not len(used):
        return
    kinds, which = np.unique(there[:, used], axis=1, return_inverse=True)
    which = which.ravel()
    for kind in range(kinds.shape[1]):
        steps = used[which == kind]
        chosen = [rows[order[place]] for place in np.flatnonzero(kinds[:, kind])]
        uppers = np.array([upper for upper, _ in chosen])
        counts = matrix.values[[row for _, row in chosen]][:, steps]
        distinct, begins = np.unique(uppers, return_index=True)
        with np.errstate(all="ignore"):
            yield distinct, np.add.reduceat(counts, begins, axis=0), steps


def _on_native(matrix: Matrix, function: Native) -> Matrix:
    values = np.zeros(matrix.values.shape)
    assert matrix.histograms is not None
    for row, step in zip(*np.nonzero(matrix.present), strict=True):
        values[row, step] = function(matrix.labels[row], matrix.histograms[row, step], int(step))
    return matrix_of(matrix.labels, values, matrix.present, None, matrix.drop_name)


class Quantiles:
    """`histogram_quantile` for one quantile, given for each step."""

    def __init__(self, wanted: Floats, annotations: Annotations, positions: tuple[Position, Position], names: bool):
        """`positions` are for remarks on native and on classic histograms; `names`: whether these name the metric."""
        self._wanted, self._annotations, self._positions = wanted, annotations, positions
        self._names = names

    def classic(self, labels: Labels, uppers: Floats, counts: Floats, steps: Ints) -> Floats:
        """Of classic buckets."""
        values, forced = quantiles.bucket_quantiles(self._wanted[steps], uppers, counts)
        if forced.any():
            name = labels.name if self._names else ""
            self._annotations.inform(say.forced_monotonicity(name), self._positions[1])
        return values

    def native(self, labels: Labels, histogram: Histogram, step: int) -> float:
        """Of a native histogram."""
        value, remark = quantiles.histogram_quantile(float(self._wanted[step]), histogram)
        if remark:
            said = "result is NaN" if remark == "result" else "result is skewed higher"
            message = f"input to histogram_quantile has NaN observations, {said}"
            name = labels.name if self._names else ""
            self._annotations.inform(say.named(message, name), self._positions[0])
        return value


class Fractions:
    """`histogram_fraction` between two values, given for each step."""

    def __init__(self, lower: Floats, upper: Floats, annotations: Annotations, position: Position, names: bool):
        self._lower, self._upper = lower, upper
        self._annotations, self._position, self._names = annotations, position, names

    def classic(self, labels: Labels, uppers: Floats, counts: Floats, steps: Ints) -> Floats:
        """Of classic buckets."""
        return quantiles.bucket_fractions(self._lower[steps], self._upper[steps], uppers, counts)

    def native(self, labels: Labels, histogram: Histogram, step: int) -> float:
        """Of a native histogram."""
        lower, upper = float(self._lower[step]), float(self._upper[step])
        value, with_nan = quantiles.histogram_fraction(lower, upper, histogram)
        if with_nan:
            message = "input to histogram_fraction has NaN observations, which are excluded from all fractions"
            self._annotations.inform(say.named(message, labels.name if self._names else ""), self._position)
        return value


def check_quantiles(wanted: Any, annotations: Annotations, position: Position) -> None:
    """Warn of quantiles outside of 0 to 1."""
    for value in dict.fromkeys(wanted[~((wanted >= 0) & (wanted <= 1))].tolist()):
        annotations.warn(say.invalid_quantile(value), position)
