"""A series of numbers over time, and what is done to several of them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.traces.traceql import tree

Labels = tuple[tuple[str, Any], ...]
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One span behind a point: `time` in nanoseconds."""

    trace_id: str
    value: float
    time: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Points at `start`, `start + step` and so on before `end`, all in nanoseconds; a point is what its step holds."""

    start: int
    end: int
    step: int

    @property
    def count(self) -> int:
        """How many points there are."""
        return max(1, math.ceil((self.end - self.start) / self.step))


@dataclass(frozen=True, slots=True)
class Series:
    """A value for each step, NaN where there is none."""

    labels: Labels
    values: NDArray[np.float64]
    exemplars: tuple[Exemplar, ...] = ()


def processed(found: list[Series], after: tuple[tree.After, ...]) -> list[Series]:
    """What rankings and thresholds leave of the series."""
    for stage in after:
        found = _ranked(found, stage) if isinstance(stage, tree.Ranking) else _above(found, stage)
    return [series for series in found if not np.isnan(series.values).all()]


def combined(sign: str, left: list[Series] | float, right: list[Series] | float) -> list[Series]:
    """Arithmetic between series of the same labels; one without labels, and a number, go with all."""
    with np.errstate(all="ignore"):
        if isinstance(left, float) or isinstance(right, float):
            return _with_number(sign, left, right)
        firsts = {_key(series): series for series in left}
        seconds = {_key(series): series for series in right}
        many, few, swapped = (firsts, seconds, False) if () not in firsts or () in seconds else (seconds, firsts, True)
        made = []
        for key, series in many.items():
            other = few.get(key) or few.get(())
            if other:
                one, two = (other, series) if swapped else (series, other)
                made.append(_calculated(sign, one, two, Series(key, series.values, (*one.exemplars, *two.exemplars))))
        return made


def _key(series: Series) -> Labels:
    return tuple(label for label in series.labels if label[0] != "__name__")


def _calculated(sign: str, left: Series, right: Series, form: Series) -> Series:
    first, second = np.nan_to_num(left.values, nan=0.0), np.nan_to_num(right.values, nan=0.0)
    values = np.asarray(_ARITHMETIC[sign](first, second), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return replace(form, values=values)


def _with_number(sign: str, left: list[Series] | float, right: list[Series] | float) -> list[Series]:
    if isinstance(left, float) and isinstance(right, float):
        return []
    made = []
    for series in left if isinstance(left, list) else right if isinstance(right, list) else []:
        one = left if isinstance(left, float) else series.values
        two = right if isinstance(right, float) else series.values
        values = np.asarray(_ARITHMETIC[sign](one, two), dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        made.append(replace(series, values=values))
    return made


def _above(found: list[Series], stage: tree.Threshold) -> list[Series]:
    with np.errstate(all="ignore"):
        return [
            replace(
                series, values=np.where(_COMPARISONS[stage.operator](series.values, stage.value), series.values, np.nan)
            )
            for series in found
        ]


def _ranked(found: list[Series], stage: tree.Ranking) -> list[Series]:
    """At each step the highest (lowest) so many; equal ones by their labels."""
    if not found:
        return []
    found = sorted(found, key=lambda series: str(series.labels))
    values = np.vstack([series.values for series in found])
    keys = np.where(np.isnan(values), np.inf, -values if stage.function == "topk" else values)
    ranks = np.argsort(np.argsort(keys, axis=0, kind="stable"), axis=0, kind="stable")
    kept = np.where(ranks < stage.count, values, np.nan)
    return [replace(series, values=row) for series, row in zip(found, kept, strict=True)]
