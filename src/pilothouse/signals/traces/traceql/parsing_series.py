"""The functions that make series of spans, and what may follow them."""

from __future__ import annotations

import operator
from collections.abc import Callable

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.cursor import Cursor
from pilothouse.signals.traces.traceql.parsing_fields import attribute, attributes
from pilothouse.signals.traces.traceql.tokens import Kind
from pilothouse.signals.traces.traceql.tree import Type

_OF_SPANS = ("rate", "count_over_time")
_OF_FIELDS = ("min_over_time", "max_over_time", "avg_over_time", "sum_over_time", "histogram_over_time")
FUNCTIONS = (*_OF_SPANS, *_OF_FIELDS, "quantile_over_time", "compare")
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_SECOND = 1_000_000_000
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


def measure(
    cursor: Cursor, source: tree.Pipeline, spanset_filter: Callable[[Cursor], tree.Filter]
) -> tree.Measure | tree.Compare:
    """One of FUNCTIONS, which is next, on the spans of `source`."""
    function = cursor.take().text
    cursor.expect("(")
    if function == "compare":
        return _compare(cursor, source, spanset_filter)
    inner = None if function in _OF_SPANS else attribute(cursor)
    quantiles: tuple[float, ...] = ()
    if function == "quantile_over_time":
        cursor.expect(",")
        quantiles = _quantiles(cursor)
    cursor.expect(")")
    by = attributes(cursor) if cursor.accept("by") else ()
    return tree.Measure(source, function, inner, by, quantiles)


def after(cursor: Cursor) -> tuple[tree.After, ...]:
    """What is done to the series: rankings and comparisons with a number."""
    found: list[tree.After] = []
    while True:
        if cursor.at("|"):
            cursor.take()
            found.append(_ranking(cursor))
        elif cursor.at(*_COMPARISONS):
            found.append(tree.Threshold(cursor.take().text, _constant_sum(cursor)))
        else:
            return tuple(found)


def constant(cursor: Cursor, scalar: tree.Scalar) -> float:
    """The value of a scalar that only has numbers; durations in seconds."""
    match scalar:
        case tree.Static(Type.DURATION, int(length)):
            return length / _SECOND
        case tree.Static(_, int(value) | float(value)):
            return float(value)
        case tree.ScalarOperation(sign, left, right) if sign in _ARITHMETIC:
            return _calculated(sign, constant(cursor, left), constant(cursor, right))
    raise cursor.fail("syntax error: series can only be combined with series and numbers")


def _compare(cursor: Cursor, source: tree.Pipeline, spanset_filter: Callable[[Cursor], tree.Filter]) -> tree.Compare:
    selection, numbers = spanset_filter(cursor), []
    while cursor.accept(","):
        numbers.append(_integer(cursor))
    if len(numbers) not in (0, 1, 3):
        raise cursor.fail("compare() takes a filter, how many values, and a start with an end")
    cursor.expect(")")
    values, start, end = (*numbers, 0, 0)[:3] if numbers else (10, 0, 0)
    return tree.Compare(source, selection, values, start, end)


def _quantiles(cursor: Cursor) -> tuple[float, ...]:
    found = []
    while True:
        if cursor.token.kind not in (Kind.FLOAT, Kind.INTEGER):
            raise cursor.unexpected(", expecting FLOAT or INTEGER")
        found.append(float(cursor.take().value))
        if not cursor.accept(","):
            return tuple(found)


def _ranking(cursor: Cursor) -> tree.Ranking:
    if not cursor.at("topk", "bottomk"):
        raise cursor.unexpected(", expecting topk or bottomk")
    function = cursor.take().text
    cursor.expect("(")
    count = _integer(cursor)
    cursor.expect(")")
    return tree.Ranking(function, count)


def _integer(cursor: Cursor) -> int:
    if cursor.token.kind is not Kind.INTEGER:
        raise cursor.unexpected(", expecting INTEGER")
    return int(cursor.take().value)


def _constant_sum(cursor: Cursor) -> float:
    value = _constant_product(cursor)
    while cursor.at("+", "-"):
        value = _calculated(cursor.take().text, value, _constant_product(cursor))
    return value


def _constant_product(cursor: Cursor) -> float:
    value = _constant(cursor)
    while cursor.at("*", "/"):
        value = _calculated(cursor.take().text, value, _constant(cursor))
    return value


def _constant(cursor: Cursor) -> float:
    sign = -1.0 if cursor.accept("-") else 1.0
    token = cursor.token
    if token.kind not in (Kind.INTEGER, Kind.FLOAT, Kind.DURATION):
        raise cursor.unexpected(", expecting a number")
    cursor.take()
    return sign * float(token.value) / (_SECOND if token.kind is Kind.DURATION else 1)


def _calculated(sign: str, left: float, right: float) -> float:
    if sign == "/" and right == 0:
        return float("nan")
    return _ARITHMETIC[sign](left, right)
