"""Binary operations: arithmetic, comparisons, sets, and how series find each other (as in Prometheus)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.vectors.series import Labels, Series, only, without

Side = float | list[Series]
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
}  # fmt: skip


def _divided(left: Any, right: Any) -> Any:
    # Loki answers NaN where Prometheus answers an infinity.
    return np.where(right == 0, np.nan, np.divide(left, right))


def _remainder(left: Any, right: Any) -> Any:
    return np.where(right == 0, np.nan, np.fmod(left, right))


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": _divided, "%": _remainder, "^": np.power,
}  # fmt: skip


def joined(node: tree.Binary, left: Side, right: Side) -> Side:
    """The operation on two sides, at least one of which is a vector."""
    with np.errstate(all="ignore"):
        if node.operator in ("and", "or", "unless"):
            return _sets(node, left, right)
        if isinstance(left, list) and isinstance(right, list):
            return _vectors(node, left, right)
        if isinstance(left, list):
            return [found for series in left if (found := _calculated(node, series, series.values, right))]
        if isinstance(right, list):
            return [found for series in right if (found := _calculated(node, series, left, series.values))]
        return float(_numbers(node, left, right))


def _numbers(node: tree.Binary, left: float, right: float) -> Any:
    if node.operator in _COMPARISONS:
        return _COMPARISONS[node.operator](left, right)
    return _ARITHMETIC[node.operator](np.float64(left), np.float64(right))


def _calculated(node: tree.Binary, kept: Series, left: Any, right: Any, labels: Labels | None = None) -> Series | None:
    """A series of the result; a comparison keeps the values of `kept` where it holds."""
    names = kept.labels if labels is None else labels
    if node.operator in _COMPARISONS:
        holds = np.asarray(_COMPARISONS[node.operator](left, right))
        if node.returns_bool:
            return Series(names, np.broadcast_to(holds, kept.values.shape).astype(np.float64), kept.present)
        found = Series(names, kept.values, kept.present & holds)
        return found if found.present.any() else None
    values = np.asarray(_ARITHMETIC[node.operator](left, right), np.float64)
    return Series(names, np.broadcast_to(values, kept.values.shape), kept.present)


def _key(labels: Labels, matching: tree.Matching | None) -> Labels:
    if matching is None:
        return labels
    return only(labels, matching.labels) if matching.on else without(labels, matching.labels)


def _vectors(node: tree.Binary, left: list[Series], right: list[Series]) -> list[Series]:
    group = node.matching.group if node.matching else ""
    many, one, name = (right, left, "left") if group == "group_right" else (left, right, "right")
    partners = _unique(one, node.matching, name)
    if not group:
        _unique(many, node.matching, "left")
    found = []
    for series in many:
        partner = partners.get(_key(series.labels, node.matching))
        if partner is None:
            continue
        together = Series(series.labels, series.values, series.present & partner.present)
        first, second = (partner, series) if group == "group_right" else (series, partner)
        kept = Series(series.labels, first.values, together.present)
        labels = _result_labels(node, series.labels, partner.labels)
        if (result := _calculated(node, kept, first.values, second.values, labels)) and result.present.any():
            found.append(result)
    return found


def _unique(side: list[Series], matching: tree.Matching | None, name: str) -> dict[Labels, Series]:
    found: dict[Labels, Series] = {}
    for series in side:
        key = _key(series.labels, matching)
        if key in found and (found[key].present & series.present).any():
            raise BadRequestError(
                f"found duplicate series on the {name} hand-side;many-to-many matching not allowed: matching labels "
                "must be unique on one side", "query",
            )  # fmt: skip
        if key in found:
            known = found[key]
            series = Series(
                known.labels, np.where(known.present, known.values, series.values), known.present | series.present
            )
        found[key] = series
    return found


def _result_labels(node: tree.Binary, many: Labels, one: Labels) -> Labels:
    matching = node.matching
    if matching is None:
        return many
    if not matching.group:
        return _key(many, matching)
    included = only(one, matching.include)
    return tuple(sorted({**dict(without(many, matching.include)), **dict(included)}.items()))


def _sets(node: tree.Binary, left: Side, right: Side) -> list[Series]:
    if not isinstance(left, list) or not isinstance(right, list):
        raise BadRequestError(f"set operator {node.operator!r} is not for numbers", "query")
    if node.operator == "or":
        return _merged([*left, *_remaining(right, left, node.matching)])
    there = _presence(right, node.matching)
    found = []
    for series in left:
        mask = there.get(_key(series.labels, node.matching), np.zeros(len(series.values), np.bool_))
        kept = series.where(mask if node.operator == "and" else ~mask)
        if kept.present.any():
            found.append(kept)
    return found


def _merged(series: list[Series]) -> list[Series]:
    """Those of equal labels as one: at any step only one of them has a value."""
    found: dict[Labels, Series] = {}
    for one in series:
        if known := found.get(one.labels):
            values = np.where(known.present, known.values, one.values)
            one = Series(one.labels, values, known.present | one.present)
        found[one.labels] = one
    return list(found.values())


def _remaining(side: list[Series], other: list[Series], matching: tree.Matching | None) -> list[Series]:
    there = _presence(other, matching)
    found = []
    for series in side:
        mask = there.get(_key(series.labels, matching))
        kept = series if mask is None else series.where(~mask)
        if kept.present.any():
            found.append(kept)
    return found


def _presence(side: list[Series], matching: tree.Matching | None) -> dict[Labels, Any]:
    found: dict[Labels, Any] = {}
    for series in side:
        key = _key(series.labels, matching)
        found[key] = found[key] | series.present if key in found else series.present
    return found
