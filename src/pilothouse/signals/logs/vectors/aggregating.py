"""`sum by (...)`, `topk` and the others: across series, at each step (Loki, "Built-in aggregation operators")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.signals.logs.vectors.series import Labels, Series, only, without

if TYPE_CHECKING:
    from pilothouse.signals.logs.logql import tree


def aggregated(node: tree.VectorAggregation, inner: list[Series]) -> list[Series]:
    """The aggregation of the series in `inner`."""
    match node.operator:
        case "sort" | "sort_desc":
            return _sorted(inner, node.operator == "sort_desc")
        case "topk" | "approx_topk" | "bottomk":
            return _ranked(node, inner)
    found = []
    for labels, members in groups(inner, node.grouping).items():
        values = np.array([series.values for series in members])
        present = np.array([series.present for series in members])
        found.append(Series(labels, _FUNCTIONS[node.operator](values, present), np.asarray(present.any(axis=0))))
    return found


def groups(inner: list[Series], grouping: tree.Grouping | None) -> dict[Labels, list[Series]]:
    """The series by what is left of their labels."""
    found: dict[Labels, list[Series]] = {}
    for series in inner:
        found.setdefault(key(series.labels, grouping), []).append(series)
    return found


def key(labels: Labels, grouping: tree.Grouping | None) -> Labels:
    """What is left of the labels; without a grouping nothing."""
    if grouping is None:
        return ()
    return without(labels, grouping.labels) if grouping.without else only(labels, grouping.labels)


def _mean(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(present, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1))


def _variance(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    distance = np.where(present, values - _mean(values, present), 0.0)
    return np.asarray((distance**2).sum(axis=0) / np.maximum(present.sum(axis=0), 1))


_FUNCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sum": lambda values, present: np.where(present, values, 0.0).sum(axis=0),
    "avg": _mean,
    "min": lambda values, present: np.where(present, values, np.inf).min(axis=0),
    "max": lambda values, present: np.where(present, values, -np.inf).max(axis=0),
    "count": lambda values, present: present.sum(axis=0).astype(np.float64),
    "stdvar": _variance,
    "stddev": lambda values, present: np.sqrt(_variance(values, present)),
}


def _ranked(node: tree.VectorAggregation, inner: list[Series]) -> list[Series]:
    """The first so many of each group at each step, with all their labels."""
    found = []
    for members in groups(inner, node.grouping).values():
        values = np.array([series.values for series in members])
        present = np.array([series.present for series in members])
        rank = values if node.operator == "bottomk" else -values
        order = np.argsort(np.where(present, rank, np.inf), axis=0, kind="stable")
        kept = np.zeros_like(present)
        np.put_along_axis(kept, order[: node.parameter], True, axis=0)
        found += [
            series.where(mask) for series, mask in zip(members, kept, strict=True) if (series.present & mask).any()
        ]
    if found and len(found[0].values) == 1:
        return _sorted(found, node.operator != "bottomk")
    return found


def _sorted(inner: list[Series], descending: bool) -> list[Series]:
    """By the value at the last step where there is one: an instant has one step, and order means nothing else."""
    return sorted(inner, key=lambda series: float(series.values[-1]), reverse=descending)
