"""What a binary operator does to two values: numbers at once, histograms one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.histogram import Histogram, IncompatibleError
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Objects, occupied
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.tokens import COMPARISONS
from pilothouse.signals.metrics.promql.trimming import trimmed

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}
CHANGING = frozenset(("+", "-", "*", "/", "%", "^", "atan2"))
"""Operators whose result is another measure: the metric's name goes."""


@dataclass(slots=True)
class Cells:
    """Values on one side: numbers, and histograms where there are any."""

    values: Floats
    histograms: Objects | None = None

    @property
    def native(self) -> Bools:
        if self.histograms is None:
            return np.zeros(self.values.shape, dtype=bool)
        return occupied(self.histograms)


def on_numbers(operator: str, left: Any, right: Any) -> Floats:
    """The operator on numbers; comparisons answer 0 or 1."""
    with np.errstate(all="ignore"):
        result: Floats = np.asarray(_NUMBERS[operator](left, right), dtype=np.float64)
    return result


def combine(
    operator: str, left: Cells, right: Cells, present: Bools, annotations: Annotations, position: Position
) -> tuple[Cells, Bools]:
    """The operator on cells that are `present` on both sides; the result is there where it makes sense.

    Comparisons filter: their result is the left value where they hold.
    """
    if left.histograms is None and right.histograms is None:
        if operator in ("</", ">/"):
            _remark(annotations, say.incompatible_types("float", operator, "float"), position)
            return left, np.zeros(present.shape, dtype=bool)
        result = on_numbers(operator, left.values, right.values)
        if operator in COMPARISONS:
            return Cells(np.broadcast_to(left.values, result.shape)), present & (result != 0)
        return Cells(result), present
    return _with_histograms(operator, left, right, present, annotations, position)


def _with_histograms(
    operator: str, left: Cells, right: Cells, present: Bools, annotations: Annotations, position: Position
) -> tuple[Cells, Bools]:
    shape = present.shape
    sides = [
        Cells(np.broadcast_to(side.values, shape),
              None if side.histograms is None else np.broadcast_to(side.histograms, shape))
        for side in (left, right)
    ]  # fmt: skip
    native = [side.native for side in sides]
    plain = present & ~native[0] & ~native[1]
    if operator in ("</", ">/"):
        values, kept = np.zeros(shape), np.zeros(shape, dtype=bool)
        if plain.any():
            _remark(annotations, say.incompatible_types("float", operator, "float"), position)
    else:
        cells, kept = combine(operator, Cells(sides[0].values), Cells(sides[1].values), plain, annotations, position)
        values = np.array(cells.values)
    histograms = np.full(shape, None, dtype=object)
    pair = _Pair(operator, annotations, position)
    for place in zip(*np.nonzero(present & (native[0] | native[1])), strict=True):
        first, second = (
            side.histograms[place] if side.histograms is not None and is_native[place] else float(side.values[place])
            for side, is_native in zip(sides, native, strict=True)
        )
        histograms[place] = pair.of(first, second)
        kept[place] = histograms[place] is not None
    return Cells(values, histograms), kept


class _Pair:
    """Two values of which at least one is a histogram."""

    def __init__(self, operator: str, annotations: Annotations, position: Position) -> None:
        self._operator, self._annotations, self._position = operator, annotations, position

    def of(self, left: Histogram | float, right: Histogram | float) -> Histogram | None:
        """The resulting histogram, or nothing with a remark."""
        operator = self._operator
        if isinstance(left, Histogram) and isinstance(right, Histogram):
            if operator in ("+", "-"):
                return self._added(left, right)
            if operator in ("==", "!="):
                return left if left.same(right) == (operator == "==") else None
        elif isinstance(left, Histogram) and not isinstance(right, Histogram):
            if operator == "*":
                return left.scaled(right).compacted()
            if operator == "/":
                return left.divided(right).compacted()
            if operator in ("</", ">/"):
                return trimmed(left, right, keep_lower=operator == "</")
        elif isinstance(right, Histogram) and not isinstance(left, Histogram) and operator == "*":
            return right.scaled(left).compacted()
        names = ["histogram" if isinstance(side, Histogram) else "float" for side in (left, right)]
        _remark(self._annotations, say.incompatible_types(names[0], operator, names[1]), self._position)
        return None

    def _added(self, left: Histogram, right: Histogram) -> Histogram | None:
        plus = self._operator == "+"
        try:
            result, mismatched = left.plus(right) if plus else left.minus(right)
        except IncompatibleError:
            self._annotations.warn(say.incompatible_layout(self._operator), self._position)
            return None
        operation = "addition" if plus else "subtraction"
        if {left.hint, right.hint} == {"reset", "not_reset"}:
            self._annotations.warn(say.reset_collision(operation), self._position)
        if mismatched:
            self._annotations.inform(say.reconciled(operation), self._position)
        return replace(result.compacted(), hint=result.hint)


def _remark(annotations: Annotations, message: str, position: Position) -> None:
    annotations.inform(message, position)
