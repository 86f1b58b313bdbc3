"""A query's syntax tree as Prometheus' `parse_query` tells it."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.metrics.promql.nodes import (
    Aggregation,
    Binary,
    Call,
    Duration,
    Matching,
    MatrixSelector,
    Node,
    Number,
    Paren,
    Subquery,
    Text,
    Timing,
    Unary,
    VectorSelector,
    value_type,
)
from pilothouse.signals.metrics.promql.numbers import format_f


def tree(node: Node | None) -> Any:
    """The node and its parts as JSON content."""
    match node:
        case Number():
            return {"type": "numberLiteral", "val": format_f(node.value)}
        case Text():
            return {"type": "stringLiteral", "val": node.value}
        case Paren():
            return {"type": "parenExpr", "expr": tree(node.expression)}
        case Unary():
            return {"type": "unaryExpr", "op": node.operator, "expr": tree(node.expression)}
        case Aggregation():
            return {
                "type": "aggregation",
                "op": node.operator,
                "expr": tree(node.expression),
                "param": tree(node.parameter),
                "grouping": list(node.grouping),
                "without": node.without,
            }
        case Binary():
            is_vector = value_type(node.left) == value_type(node.right) == "vector"
            return {
                "type": "binaryExpr",
                "op": node.operator,
                "lhs": tree(node.left),
                "rhs": tree(node.right),
                "matching": _matching(node) if is_vector and node.matching else None,
                "bool": node.return_bool,
            }
        case Call():
            function = node.function
            return {
                "type": "call",
                "func": {
                    "name": function.name,
                    "argTypes": list(function.arguments),
                    "variadic": function.variadic,
                    "returnType": function.returns,
                },
                "args": [tree(argument) for argument in node.arguments],
            }
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(node)}
        case MatrixSelector():
            return {
                "type": "matrixSelector",
                **_selector(node.vector),
                "range": node.range,
                "rangeExpr": _duration(node.range_expression),
            }
        case Subquery():
            return {
                "type": "subquery",
                "expr": tree(node.expression),
                "range": node.range,
                "rangeExpr": _duration(node.range_expression),
                "step": node.step,
                "stepExpr": _duration(node.step_expression),
                **_timing(node.timing),
            }
    return None


def _selector(node: VectorSelector) -> dict[str, Any]:
    matchers = [{"name": one.label, "value": one.value, "type": one.operator} for one in node.matchers]
    return {
        "name": node.name,
        "matchers": matchers,
        **_timing(node.timing),
        "anchored": node.extension == "anchored",
        "smoothed": node.extension == "smoothed",
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "offset": timing.offset,
        "offsetExpr": _duration(timing.offset_expression),
        "timestamp": timing.at if isinstance(timing.at, int) else None,
        "startOrEnd": timing.at if isinstance(timing.at, str) else None,
    }


def _duration(node: Duration | Number | None) -> Any:
    """Arithmetic on durations; what `step()` and `range()` have no operands, a sign has only the right one."""
    if not isinstance(node, Duration):
        return node and {"type": "numberLiteral", "val": format_f(node.value), "duration": node.is_duration}
    left, right = (None, None, *map(_duration, node.operands))[-2:]
    return {"type": "durationExpr", "op": node.operator, "lhs": left, "rhs": right, "wrapped": node.wrapped}


def _matching(node: Binary) -> dict[str, Any]:
    matching = node.matching or Matching()
    card = "many-to-many" if node.operator in ("and", "or", "unless") else matching.card
    return {
        "card": card,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
        "fillValues": {"lhs": _fill(matching.fill_left), "rhs": _fill(matching.fill_right)},
    }


def _fill(value: float | None) -> float | int | None:
    """A number as Go writes it, without a fraction where there is none."""
    return int(value) if value is not None and value == value // 1 else value
