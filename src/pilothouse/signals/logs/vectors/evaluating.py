"""A metric query from its leaves up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.regexes import compiled
from pilothouse.signals.logs.templates.functions import expand
from pilothouse.signals.logs.vectors.aggregating import aggregated, key
from pilothouse.signals.logs.vectors.joining import Side, joined
from pilothouse.signals.logs.vectors.series import Labels, Samples, Series, Steps, constant, labels_of
from pilothouse.signals.logs.vectors.windows import windowed

MOST_SERIES = 5000
# Reads the samples of an aggregation of a range; those of a group together, if a grouping is given.
Read = Callable[[tree.RangeAggregation, tree.Grouping | None], list[Samples]]
# Sums of these may be taken before or after the window, with the same result; so may the least and the greatest.
_ADDITIVE = frozenset({"rate", "count_over_time", "bytes_rate", "bytes_over_time", "sum_over_time"})


def evaluate(query: tree.Metric, steps: Steps, read: Read) -> float | list[Series]:
    """The series of a query (with `sort`, in order), or a number for one of nothing but literals."""
    match query:
        case tree.Number():
            return query.value
        case tree.VectorOf():
            return [constant((), query.value, steps.count)]
        case tree.RangeAggregation():
            return ranged(query, query.grouping, steps, read)
        case tree.VectorAggregation():
            return aggregated(query, _inner(query, steps, read))
        case tree.LabelReplace():
            return _replaced(query, _vector(query.inner, steps, read))
        case tree.Binary():
            return _binary(query, steps, read)


def _binary(query: tree.Binary, steps: Steps, read: Read) -> Side:
    left, right = (_side(side, steps, read) for side in (query.left, query.right))
    return joined(query, left, right)


def _side(query: tree.Query, steps: Steps, read: Read) -> Side:
    assert not isinstance(query, tree.LogQuery)
    return evaluate(query, steps, read)


def _vector(query: tree.Query, steps: Steps, read: Read) -> list[Series]:
    found = _side(query, steps, read)
    return found if isinstance(found, list) else [constant((), found, steps.count)]


def _inner(query: tree.VectorAggregation, steps: Steps, read: Read) -> list[Series]:
    inner = query.inner
    if isinstance(inner, tree.RangeAggregation) and pushes_down(query, inner):
        return ranged(inner, query.grouping or tree.Grouping(()), steps, read)
    return _vector(inner, steps, read)


def pushes_down(query: tree.VectorAggregation, inner: tree.RangeAggregation) -> bool:
    """Whether the samples may be grouped as they are read."""
    if inner.grouping:
        return False
    return (query.operator == "sum" and inner.operator in _ADDITIVE) or (
        (query.operator, inner.operator) in (("max", "max_over_time"), ("min", "min_over_time"))
    )


def ranged(query: tree.RangeAggregation, grouping: tree.Grouping | None, steps: Steps, read: Read) -> list[Series]:
    """The series of an aggregation of a range."""
    if query.operator == "absent_over_time":
        return _absent(query, steps, read)
    found = read(query, grouping)
    if len(found) > MOST_SERIES:
        raise too_many_series()
    series = (windowed(query.operator, one, steps, query.span, query.offset, query.parameter) for one in found)
    return sorted((one for one in series if one.present.any()), key=lambda one: one.labels)


def too_many_series() -> BadRequestError:
    """More series than anybody reads; the message says what to do."""
    return BadRequestError(
        f"maximum of series ({MOST_SERIES}) reached for a single query: group them, as in sum by (service_name) (...), "
        "or take labels away with drop and keep", "query",
    )  # fmt: skip


def _absent(query: tree.RangeAggregation, steps: Steps, read: Read) -> list[Series]:
    found = read(replace(query, operator="count_over_time", unwrap=query.unwrap), tree.Grouping(()))
    there = np.zeros(steps.count, np.bool_)
    for one in found:
        there |= windowed("count_over_time", one, steps, query.span, query.offset, None).present
    labels = labels_of((one.label, one.value) for one in query.query.matchers if one.operator == "=")
    names = [name for name, _ in labels]
    unique = tuple(pair for pair in labels if names.count(pair[0]) == 1)
    return [Series(unique, np.ones(steps.count), ~there)] if not there.all() else []


def _replaced(query: tree.LabelReplace, inner: list[Series]) -> list[Series]:
    expression = compiled(f"^(?:{query.expression})$")
    seen: set[Labels] = set()
    found = []
    for series in inner:
        labels = dict(series.labels)
        if match := expression.search(labels.get(query.source, "")):
            labels[query.target] = expand(query.replacement, match)
        one = Series(labels_of(labels), series.values, series.present)
        if one.labels in seen:
            raise BadRequestError("vector cannot contain metrics with the same labelset", "query")
        seen.add(one.labels)
        found.append(one)
    return found


def grouped(labels: Labels, grouping: tree.Grouping | None) -> Labels:
    """The labels of a sample's series."""
    return key(labels, grouping) if grouping else labels
