"""A pipeline over the spans of many traces at once: each stage narrows a mask or splits the groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilothouse.signals.traces.spansets.family import Family, Mask, Places
from pilothouse.signals.traces.spansets.nesting import OPERATORS
from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.writing import written

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of the spans: the number of their trace, their family, and the plan's columns by node."""

    traces: Places
    family: Family
    conditions: dict[tree.Filter, Mask]
    numbers: dict[Any, Numbers]
    labels: dict[Any, tuple[NDArray[np.object_], NDArray[np.object_]]]


@dataclass(frozen=True, slots=True)
class State:
    """Which spans are left, the spanset each belongs to, and what was computed for each spanset, by its text."""

    mask: Mask
    groups: Places
    notes: dict[str, Numbers | tuple[NDArray[np.object_], NDArray[np.object_]]]


def evaluate(pipeline: tree.Pipeline, columns: Columns) -> State:
    """What a pipeline leaves of the spans."""
    everything = State(np.ones(len(columns.traces), dtype=bool), columns.traces, {})
    return _pipeline(pipeline, everything, columns)


def _pipeline(pipeline: tree.Pipeline, state: State, columns: Columns) -> State:
    for stage in pipeline.stages:
        state = _stage(stage, state, columns)
    return state


def _stage(stage: Any, state: State, columns: Columns) -> State:
    match stage:
        case tree.Filter():
            return replace(state, mask=state.mask & columns.conditions[stage])
        case tree.Pipeline():
            return _pipeline(stage, state, columns)
        case tree.SpansetOperation(operator, left, right):
            first, second = _stage(left, state, columns).mask, _stage(right, state, columns).mask
            return replace(state, mask=_joined(operator, first, second, state.groups, columns.family))
        case tree.ScalarFilter():
            return _scalar_filter(stage, state, columns)
        case tree.Group(inner):
            texts, letters = columns.labels[inner]
            keys = np.unique(texts + "\0" + letters, return_inverse=True)[1]
            split = np.unique(state.groups * (int(keys.max(initial=0)) + 1) + keys, return_inverse=True)[1]
            return State(state.mask, split.astype(np.int64), state.notes | {f"by({written(inner)})": (texts, letters)})
        case tree.Coalesce():
            return State(state.mask, columns.traces, {})
    return state


def _joined(operator: str, left: Mask, right: Mask, groups: Places, family: Family) -> Mask:
    match operator:
        case "&&":
            return (left | right) & _spread(left, groups) & _spread(right, groups)
        case "||":
            return left | right
    bare = operator.lstrip("!&")
    forwards = {">": family.children, ">>": family.descendants, "<": family.parents, "<<": family.ancestors}
    related = forwards.get(bare, family.siblings_of)(left)
    if operator[0] == "!":
        return right & ~related
    found = right & related
    if operator[0] == "&":
        backwards = {">": family.parents, ">>": family.ancestors, "<": family.children, "<<": family.descendants}
        found |= left & backwards.get(bare, family.siblings_of)(right)
    return found


def _spread(mask: Mask, groups: Places) -> Mask:
    """The spans of the groups in which any span is in the mask."""
    return np.isin(groups, np.unique(groups[mask]))


def _scalar_filter(stage: tree.ScalarFilter, state: State, columns: Columns) -> State:
    notes: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        left, first = _scalar(stage.left, state, columns, notes)
        right, second = _scalar(stage.right, state, columns, notes)
        holds = OPERATORS[stage.operator](left, right) & ~np.isnan(left) & ~np.isnan(right)
    holds = np.broadcast_to(holds, state.mask.shape)
    mask = state.mask if first is second is None else _either(first, second, state.mask)
    return State(mask & holds, state.groups, state.notes | notes)


def _either(first: Mask | None, second: Mask | None, otherwise: Mask) -> Mask:
    found = [mask for mask in (first, second) if mask is not None]
    return np.logical_or.reduce(found) if found else otherwise


def _scalar(node: Any, state: State, columns: Columns, notes: dict[str, Any]) -> tuple[Numbers, Mask | None]:
    """A scalar's value beside each span, and the spans it was computed from when it has a pipeline of its own."""
    match node:
        case tree.Static(_, value):
            return np.float64(value), None  # type: ignore[return-value]
        case tree.ScalarOperation(operator, left, right):
            first, mask = _scalar(left, state, columns, notes)
            second, other = _scalar(right, state, columns, notes)
            both = None if mask is other is None else _either(mask, other, state.mask)
            return OPERATORS[operator](first, second), both
        case tree.Pipeline(stages):
            inner = _pipeline(tree.Pipeline(stages[:-1]), state, columns)
            return _scalar(stages[-1], inner, columns, notes)[0], inner.mask
    values = _aggregated(node, state, columns)[state.groups]
    notes[written(node)] = values
    return values, None


def _aggregated(node: tree.Aggregate, state: State, columns: Columns) -> Numbers:
    """One value for each group, NaN where no span has a number."""
    size = int(state.groups.max(initial=-1)) + 1
    if node.field is None:
        return np.bincount(state.groups[state.mask], minlength=size).astype(np.float64)
    numbers = columns.numbers[node.field]
    mask = state.mask & ~np.isnan(numbers)
    groups, numbers = state.groups[mask], numbers[mask]
    counts = np.bincount(groups, minlength=size)
    if node.function in ("min", "max"):
        extremes = np.full(size, np.inf if node.function == "min" else -np.inf)
        (np.minimum if node.function == "min" else np.maximum).at(extremes, groups, numbers)
        return np.where(counts > 0, extremes, np.nan)
    sums = np.bincount(groups, weights=numbers, minlength=size)
    with np.errstate(all="ignore"):
        return np.where(counts > 0, sums / counts if node.function == "avg" else sums, np.nan)
