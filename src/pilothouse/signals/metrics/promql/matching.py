"""Binary operators between vectors: which series meet, and what the result is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.arithmetic import CHANGING, Cells, combine
from pilothouse.signals.metrics.promql.errors import ExecutionError
from pilothouse.signals.metrics.promql.labels import EMPTY, METADATA, Labels
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.matrix import Bools, Ints, Matrix, empty, joined, matrix_of, merged
from pilothouse.signals.metrics.promql.nodes import Binary, Matching
from pilothouse.signals.metrics.promql.positions import Position
from pilothouse.signals.metrics.promql.tokens import COMPARISONS


def signatures(labels: Sequence[Labels], matching: Matching) -> list[Labels]:
    """What of each label set must agree for two series to meet."""
    names = frozenset(matching.labels)
    if matching.on:
        return [one.only(names) for one in labels] if names else [EMPTY] * len(labels)
    # Types and units tell series apart as any label does (3.14; newer versions look past them).
    unwanted = names | {NAME}
    return [Labels(tuple(pair for pair in one.pairs if pair[0] not in unwanted)) for one in labels]


def set_operation(operator: str, left: Matrix, right: Matrix, matching: Matching) -> Matrix:
    """`and`, `or`, `unless`: left series (and for `or` right ones) by whether their signature is on the other side."""
    keys: dict[Labels, int] = {}
    sides = [
        np.array([keys.setdefault(key, len(keys)) for key in signatures(side.labels, matching)], dtype=np.int64)
        for side in (left, right)
    ]
    if operator == "or":
        there = _there(left, sides[0], len(keys))
        added = right.masked(right.present & ~there[sides[1]]) if right.labels else right
        return merged(joined([left, added], left.steps))
    if not left.labels:
        return left
    there = _there(right, sides[1], len(keys))[sides[0]]
    return left.masked(left.present & (there if operator == "and" else ~there))


def _there(matrix: Matrix, keys: Ints, count: int) -> Bools:
    result = np.zeros((count, matrix.steps), dtype=bool)
    np.logical_or.at(result, keys, matrix.present)
    return result


@dataclass(slots=True)
class _Pairs:
    """Rows that meet: of the many side (or left), of the one side (or right), and the signature's number."""

    many: Ints
    one: Ints
    key: Ints


class VectorOperation:
    """An arithmetic or comparison operator between two vectors."""

    def __init__(self, node: Binary, left: Matrix, right: Matrix, annotations: Annotations, keep_names: bool) -> None:
        assert node.matching is not None
        self._node, self._matching, self._annotations = node, node.matching, annotations
        self._keep_names = keep_names
        self._swapped = node.matching.card == "one-to-many"
        self._many, self._one = (right, left) if self._swapped else (left, right)
        # With `group_right` as well: up to 3.15 the sides change places, and the values for them do not.
        self._fill_many, self._fill_one = node.matching.fill_left, node.matching.fill_right
        self._keys: dict[Labels, int] = {}
        self._many_keys = self._numbered(self._many)
        self._one_keys = self._numbered(self._one)

    def result(self) -> Matrix:
        """The result, under its own labels."""
        self._check_one_side()
        parts = [part for part in (self._met(), self._filled_one(), self._filled_many()) if part is not None]
        if not parts:
            return empty(self._many.steps)
        return merged(joined(parts, self._many.steps))

    def _numbered(self, matrix: Matrix) -> Ints:
        keys = signatures(matrix.labels, self._matching)
        return np.array([self._keys.setdefault(key, len(self._keys)) for key in keys], dtype=np.int64)

    def _check_one_side(self) -> None:
        """On the one side each signature may be there once at a step (where the other side has anything)."""
        one, keys = self._one, self._one_keys
        if len(set(keys.tolist())) == len(keys):
            return
        counts = np.zeros((len(self._keys), one.steps), dtype=np.int64)
        np.add.at(counts, keys, one.present.astype(np.int64))
        busy: Bools = np.asarray(self._many.present.any(axis=0))
        if self._fill_many is not None:
            busy = np.ones_like(busy)
        wrong = np.argwhere((counts > 1) & busy[None, :])
        if not len(wrong):
            return
        key, step = wrong[0]
        rows = [row for row in np.flatnonzero(keys == key) if one.present[row, step]]
        side = "left" if self._swapped else "right"
        group = list(self._keys)[key]
        first, second = sorted(str(one.labels[row]) for row in rows[:2])
        raise ExecutionError(
            f"found duplicate series for the match group {group} on the {side} hand-side of the operation: "
            f"[{first}, {second}];"
            "many-to-many matching not allowed: matching labels must be unique on one side"
        )

    def _pairs(self) -> _Pairs:
        by_key: dict[int, list[int]] = {}
        for row, key in enumerate(self._one_keys.tolist()):
            by_key.setdefault(key, []).append(row)
        many, one, used = [], [], []
        for row, key in enumerate(self._many_keys.tolist()):
            for other in by_key.get(key, ()):
                many.append(row)
                one.append(other)
                used.append(key)
        return _Pairs(*(np.array(part, dtype=np.int64) for part in (many, one, used)))

    def _met(self) -> Matrix | None:
        pairs = self._pairs()
        if not len(pairs.many):
            return None
        both = self._many.present[pairs.many] & self._one.present[pairs.one]
        cells, kept = self._computed(_cells(self._many, pairs.many), _cells(self._one, pairs.one), both)
        labels = [
            self._named(self._many.labels[row], self._one.labels[other])
            for row, other in zip(pairs.many.tolist(), pairs.one.tolist(), strict=True)
        ]
        self._check_matches(labels, pairs.key, self._sensible(pairs.many, pairs.one, both))
        return self._matrix(labels, cells, kept)

    def _sensible(self, many: Ints, one: Ints, both: Bools) -> Bools:
        """Where the operator has an answer: series that meet count as matched even if a comparison leaves them out."""
        native = self._many.native[many], self._one.native[one]
        if not (native[0].any() or native[1].any()):
            return both
        if self._node.operator in COMPARISONS:
            ordered = self._node.operator not in ("==", "!=")
            sensible: Bools = both & (native[0] == native[1]) & ~(native[0] & ordered)
            return sensible
        return both

    def _check_matches(self, labels: list[Labels], keys: Ints, kept: Bools) -> None:
        """Raises when two results of one step would be the same; `kept` is where series have met."""
        if self._matching.card == "one-to-one":
            marks, message = keys, "multiple matches for labels: many-to-one matching must be explicit " \
                                   "(group_left/group_right)"  # fmt: skip
        else:
            found: dict[tuple[Labels, int], int] = {}
            pairs = zip(labels, keys.tolist(), strict=True)
            marks = np.array([found.setdefault(pair, len(found)) for pair in pairs], dtype=np.int64)
            message = "multiple matches for labels: grouping labels must ensure unique matches"
        if len(set(marks.tolist())) == len(marks):
            return
        counts = np.zeros((int(marks.max()) + 1, kept.shape[1]), dtype=np.int64)
        np.add.at(counts, marks, kept.astype(np.int64))
        if (counts > 1).any():
            raise ExecutionError(message)

    def _filled_one(self) -> Matrix | None:
        """Series of the many side that meet nothing, with the fill value in its place."""
        if self._fill_one is None or not self._many.labels:
            return None
        there = _there(self._one, self._one_keys, len(self._keys))[self._many_keys]
        alone = self._many.present & ~there
        groups = list(self._keys)
        labels = [
            self._named(one, groups[key]) for one, key in zip(self._many.labels, self._many_keys.tolist(), strict=True)
        ]
        cells, kept = self._computed(_cells(self._many), Cells(np.full(alone.shape, self._fill_one)), alone)
        if self._matching.card == "one-to-one":
            self._check_matches(labels, self._many_keys, alone)
        return self._matrix(labels, cells, kept)

    def _filled_many(self) -> Matrix | None:
        """Series of the one side that meet nothing: the result has just the match group's labels."""
        if self._fill_many is None or not self._one.labels:
            return None
        there = _there(self._many, self._many_keys, len(self._keys))[self._one_keys]
        alone = self._one.present & ~there
        groups = list(self._keys)
        labels = [
            self._named(groups[key], one) for one, key in zip(self._one.labels, self._one_keys.tolist(), strict=True)
        ]
        cells, kept = self._computed(Cells(np.full(alone.shape, self._fill_many)), _cells(self._one), alone)
        return self._matrix(labels, cells, kept)

    def _computed(self, many: Cells, one: Cells, present: Bools) -> tuple[Cells, Bools]:
        left, right = (one, many) if self._swapped else (many, one)
        node = self._node
        before = len(list(self._annotations))
        cells, kept = combine(node.operator, left, right, present, self._annotations, _position(node))
        if not node.return_bool:
            return cells, kept
        # With `bool` a comparison answers wherever it makes sense.
        sensible = present
        if len(list(self._annotations)) > before or left.histograms is not None or right.histograms is not None:
            mixed = left.native != right.native
            ordered = node.operator not in ("==", "!=")
            sensible = present & ~mixed & ~(left.native & ordered)
        return Cells(kept.astype(np.float64)), sensible

    def _matrix(self, labels: list[Labels], cells: Cells, kept: Bools) -> Matrix:
        drop = self._node.return_bool
        if drop and not self._keep_names:
            labels = [one.nameless() for one in labels]
        return matrix_of(labels, np.array(cells.values), kept, cells.histograms, drop and self._keep_names)

    def _named(self, many: Labels, one: Labels) -> Labels:
        """The labels of a result: those of the many side, with what is included from the one side."""
        matching = self._matching
        found = dict(many.pairs)
        if self._node.operator in CHANGING:
            for name in METADATA:
                found.pop(name, None)
        if matching.card == "one-to-one":
            if matching.on:
                found = {name: value for name, value in found.items() if name in matching.labels}
            else:
                for name in matching.labels:
                    found.pop(name, None)
        for name in matching.include:
            value = one.get(name)
            if value:
                found[name] = value
            else:
                found.pop(name, None)
        return Labels(tuple(sorted(found.items())))


def _cells(matrix: Matrix, rows: Ints | None = None) -> Cells:
    if rows is None:
        return Cells(matrix.values, matrix.histograms)
    return Cells(matrix.values[rows], None if matrix.histograms is None else matrix.histograms[rows])


def _position(node: Binary) -> Position:
    return node.position
