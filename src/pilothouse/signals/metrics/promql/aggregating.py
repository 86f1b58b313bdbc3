"""Aggregations over groups of series, step by step, as operations on whole matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pilothouse.signals.metrics.promql import annotations as say
from pilothouse.signals.metrics.promql import native_ranges as native
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.labels import EMPTY, Labels, LabelSets, found_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.matrix import Bools, Floats, Matrix, empty, matrix_of
from pilothouse.signals.metrics.promql.numbers import format_f, format_g
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.quantiles import column_quantiles, sorted_quantiles
from pilothouse.signals.metrics.promql.summing import exact_mean, exact_sum

_CANCELLED = 1e-6
_MOST_INT = 9.223372036854775e18
# Groups of so many series, on average, are sorted one after the other.
_LARGE_GROUPS = 8


class Groups:
    """Series put together by labels. Rows are ordered so that a group's are neighbours: `order`, from `begins` on."""

    def __init__(self, labels: Sequence[Labels], grouping: Sequence[str], without: bool) -> None:
        found: dict[Labels, int] = {}
        self.of = np.array([found.setdefault(key, len(found)) for key in _keys(labels, grouping, without)], np.int64)
        self.labels = LabelSets(found)
        self.order = np.argsort(self.of, kind="stable")
        self.begins = np.searchsorted(self.of[self.order], np.arange(len(found)))

    def rows(self) -> list[Any]:
        """The places of each group's series."""
        return np.split(self.order, self.begins[1:])

    def reduced(self, ufunc: np.ufunc, values: Any) -> Any:
        """`ufunc` over each group: [groups, steps]."""
        return ufunc.reduceat(values[self.order], self.begins, axis=0)


def grouped(labels: list[Labels], grouping: Sequence[str], without: bool) -> Groups:
    """The groups of these label sets."""
    key = "groups", tuple(grouping), without
    return found_of(labels, key, lambda all_: Groups(all_, grouping, without))


def _keys(labels: Sequence[Labels], grouping: Sequence[str], without: bool) -> list[Labels]:
    if without:
        unwanted = frozenset((*grouping, NAME))
        return [Labels(tuple(pair for pair in one.pairs if pair[0] not in unwanted)) for one in labels]
    if not grouping:
        return [EMPTY] * len(labels)
    names = sorted(set(grouping))
    cache: dict[tuple[str, ...], Labels] = {}
    keys = []
    for one in labels:
        values = tuple(one.get(name) for name in names)
        key = cache.get(values)
        if key is None:
            pairs = tuple((name, value) for name, value in zip(names, values, strict=True) if value)
            key = cache[values] = Labels(pairs)
        keys.append(key)
    return keys


def aggregate(
    operator: str, matrix: Matrix, groups: Groups, parameter: Floats | None, annotations: Annotations,
    positions: tuple[Position, Position],
) -> Matrix:  # fmt: skip
    """`sum`, `avg`, `min`, `max`, `count`, `group`, `stddev`, `stdvar` or `quantile`.

    `positions` are those of the expression and of the parameter.
    """
    if not matrix.labels:
        return empty(matrix.steps)
    if operator == "count":
        counts = groups.reduced(np.add, matrix.present.astype(np.int64))
        return matrix_of(groups.labels, counts.astype(np.float64), counts > 0)
    if operator == "group":
        return matrix_of(groups.labels, *_ones(groups.reduced(np.logical_or, matrix.present)))
    if operator in ("sum", "avg"):
        return _sums(operator, matrix, groups, annotations, positions[0])
    if matrix.histograms is not None and matrix.native.any():
        annotations.inform(say.ignored_in_aggregation(operator), positions[0])
    present = matrix.floats
    there = groups.reduced(np.logical_or, present)
    with np.errstate(all="ignore"):
        if operator in ("min", "max"):
            ufunc = np.fmin if operator == "min" else np.fmax
            values = groups.reduced(ufunc, np.where(present, matrix.values, np.nan))
        elif operator == "quantile":
            assert parameter is not None
            _check_quantiles(parameter, annotations, positions[1])
            values = _quantiles(matrix.values, present, groups, parameter)
        else:
            values = _variance(matrix.values, present, groups)
            values = np.sqrt(values) if operator == "stddev" else values
    return matrix_of(groups.labels, values, there)


def _ones(present: Bools) -> tuple[Floats, Bools]:
    return np.ones(present.shape), present


def _sums(operator: str, matrix: Matrix, groups: Groups, annotations: Annotations, position: Position) -> Matrix:
    present = matrix.floats
    counts = groups.reduced(np.add, present.astype(np.int64))
    values = np.where(present, matrix.values, 0.0)
    with np.errstate(all="ignore"):
        sums = groups.reduced(np.add, values)
        sizes = groups.reduced(np.add, np.abs(values))
        doubtful = np.isfinite(sizes) & (sizes * _CANCELLED > np.abs(sums)) & (counts > 1)
        doubtful |= np.isinf(sizes) & (counts > 0) & ~groups.reduced(np.logical_or, np.isinf(values))
        if doubtful.any():
            rows = groups.rows()
            for group, step in zip(*np.nonzero(doubtful), strict=True):
                cells = [float(values[row, step]) for row in rows[group] if present[row, step]]
                exact = exact_sum(cells) if operator == "sum" else exact_mean(cells) * len(cells)
                sums[group, step] = exact
        if operator == "avg":
            means = sums / counts
            overflown = doubtful & np.isinf(sums)
            for group, step in zip(*np.nonzero(overflown), strict=True):
                cells = [float(values[row, step]) for row in groups.rows()[group] if present[row, step]]
                means[group, step] = exact_mean(cells)
            sums = means
    if matrix.histograms is None:
        return matrix_of(groups.labels, sums, counts > 0)
    return _with_histograms(operator, matrix, groups, sums, counts > 0, annotations, position)


def _with_histograms(
    operator: str, matrix: Matrix, groups: Groups, sums: Floats, floats: Bools, annotations: Annotations,
    position: Position,
) -> Matrix:  # fmt: skip
    assert matrix.histograms is not None
    is_native = matrix.native
    histograms = np.full(sums.shape, None, dtype=object)
    present = floats.copy()
    combine = native.total if operator == "sum" else native.mean
    for group, rows in enumerate(groups.rows()):
        for step in np.flatnonzero(is_native[rows].any(axis=0)):
            if floats[group, step]:
                annotations.warn(say.MIXED_FLOATS_IN_AGGREGATION, position)
                present[group, step] = False
                continue
            members = [row for row in rows if is_native[row, step]]
            remarks = native.Remarks(annotations, matrix.labels[members[-1]].name, position)
            found = combine([matrix.histograms[row, step] for row in members], remarks)
            present[group, step] = found is not None
            histograms[group, step] = found.compacted() if found else None
    return matrix_of(groups.labels, sums, present, histograms)


def _variance(values: Floats, present: Bools, groups: Groups) -> Floats:
    counts = groups.reduced(np.add, present.astype(np.float64))
    # Shifted by a value of the group, so that large numbers close together lose nothing.
    first = groups.reduced(np.fmin, np.where(present, values, np.nan))[groups.of]
    shifted = np.where(present, values - first, 0.0)
    means = (groups.reduced(np.add, shifted) / counts)[groups.of]
    squares = np.where(present, (shifted - means) ** 2, 0.0)
    result: Floats = groups.reduced(np.add, squares) / counts
    return result


def _check_quantiles(parameter: Floats, annotations: Annotations, position: Position) -> None:
    if np.isnan(parameter).any():
        annotations.warn(say.invalid_quantile(float("nan")), position)
    for wrong, extreme in ((parameter > 1, np.nanmax), (parameter < 0, np.nanmin)):
        if wrong.any():
            annotations.warn(say.invalid_quantile(float(extreme(parameter))), position)


def _quantiles(values: Floats, present: Bools, groups: Groups, parameter: Floats) -> Floats:
    steps = values.shape[1]
    if len(groups.of) >= _LARGE_GROUPS * len(groups.labels):
        found = [column_quantiles(values[rows], present[rows], parameter) for rows in groups.rows()]
        return np.array(found).reshape(len(groups.labels), steps)
    rows, columns = np.nonzero(present)
    cells = groups.of[rows] * steps + columns
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    filled, begins, owner = np.unique(ordered, return_index=True, return_inverse=True)
    result = np.zeros(len(groups.labels) * steps)
    if len(filled):
        chosen = values[rows[order], columns[order]]
        result[filled] = sorted_quantiles(chosen, begins, owner, parameter[filled % steps])
    return result.reshape(len(groups.labels), steps)


def count_values(matrix: Matrix, label: str, grouping: Sequence[str], without: bool) -> Matrix:
    """How often each value occurs, the value being a label."""
    counts: dict[Labels, dict[int, int]] = {}
    is_native = matrix.native
    keys = _keys(matrix.labels, [name for name in grouping if name != label], without)
    for row, step in zip(*np.nonzero(matrix.present), strict=True):
        if is_native[row, step]:
            assert matrix.histograms is not None
            text = str(matrix.histograms[row, step])
        else:
            text = format_f(float(matrix.values[row, step]))
        key = keys[row].without((label,)) if without and label in grouping else keys[row].setting({label: text})
        cell = counts.setdefault(key, {})
        cell[step] = cell.get(step, 0) + 1
    values = np.zeros((len(counts), matrix.steps))
    for place, cells in enumerate(counts.values()):
        for step, count in cells.items():
            values[place, step] = count
    return matrix_of(list(counts), values, values > 0)


def select(
    operator: str, matrix: Matrix, groups: Groups, parameter: Floats, annotations: Annotations,
    positions: tuple[Position, Position, Position],
) -> Matrix:  # fmt: skip
    """`topk`, `bottomk`, `limitk` and `limit_ratio`: some of the series of each group.

    `positions` are those of the expression, of the parameter and of the whole.
    """
    if operator == "limit_ratio":
        return matrix.masked(matrix.present & _ratio_kept(matrix, parameter, annotations, positions[1]))
    limits = _limits(parameter, len(matrix.labels))
    if not matrix.labels or limits.max(initial=0) < 1:
        return empty(matrix.steps)
    present = matrix.present
    if operator != "limitk":
        if matrix.histograms is not None and matrix.native.any():
            annotations.inform(say.ignored_in_aggregation(operator), positions[2])
        present = matrix.floats
    kept = np.zeros(present.shape, dtype=bool)
    ranks = np.zeros(present.shape, dtype=np.int64)
    for rows in groups.rows():
        order = _ranking(operator, matrix.values[rows], present[rows])
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(len(rows))[:, None], axis=0)
        kept[rows] = (rank < limits[None, :]) & present[rows]
        ranks[rows] = rank
    if matrix.steps == 1 and operator != "limitk":
        return _ranked(matrix, kept, ranks, groups)
    return matrix.masked(kept)


def _ranked(matrix: Matrix, kept: Bools, ranks: Any, groups: Groups) -> Matrix:
    """At a single step the result is in order, group by group."""
    chosen = np.flatnonzero(kept[:, 0])
    order = np.lexsort((ranks[chosen, 0], groups.of[chosen]))
    return matrix.masked(kept) if not len(chosen) else Matrix.rows(matrix, chosen[order])


def _limits(parameter: Floats, series: int) -> Any:
    if np.isnan(parameter).any():
        raise ExecutionError("Parameter value is NaN")
    for value in parameter.tolist():
        if value >= _MOST_INT:
            raise ExecutionError(f"Scalar value {format_g(value)} overflows int64")
        if value <= -_MOST_INT:
            raise ExecutionError(f"Scalar value {format_g(value)} underflows int64")
    return np.minimum(np.trunc(parameter), max(series, 1)).astype(np.int64)


def _ranking(operator: str, values: Floats, present: Bools) -> Any:
    """For each step the rows in the order in which they are taken: first by value, NaN last, then what is absent."""
    if operator == "limitk":
        return np.argsort(~present, axis=0, kind="stable")
    keys = -values if operator == "topk" else values
    by_value = np.argsort(np.where(np.isnan(keys), np.inf, keys), axis=0, kind="stable")
    unranked = np.take_along_axis(np.isnan(values).astype(np.int8) + 2 * ~present, by_value, axis=0)
    return np.take_along_axis(by_value, np.argsort(unranked, axis=0, kind="stable"), axis=0)


def _ratio_kept(matrix: Matrix, parameter: Floats, annotations: Annotations, position: Position) -> Bools:
    if np.isnan(parameter).any():
        raise ExecutionError("Ratio value is NaN")
    for wrong, extreme, capped in ((parameter > 1, np.max, 1.0), (parameter < -1, np.min, -1.0)):
        if wrong.any():
            annotations.warn(say.invalid_ratio(float(extreme(parameter)), capped), position)
    ratio = np.clip(parameter, -1, 1)[None, :]
    offsets = np.array([labels.digest() / 18446744073709551615 for labels in matrix.labels])[:, None]
    result: Bools = np.where(ratio >= 0, offsets < ratio, offsets >= 1 + ratio)
    return result
