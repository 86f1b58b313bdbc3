"""A query written out again as Prometheus prints it (`String()`), for `format_query` in one line and rule files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pilothouse.signals.metrics.promql.durations import format_duration
from pilothouse.signals.metrics.promql.matcher import NAME
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
)
from pilothouse.signals.metrics.promql.numbers import format_f, quote

_LEGACY = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def write(node: Node) -> str:
    """The expression in one line."""
    match node:
        case Number():
            return format_duration(round(node.value * 1000)) if node.is_duration else format_f(node.value)
        case Text():
            return quote(node.value)
        case VectorSelector():
            return selector(node) + extension(node) + suffix(node.timing)
        case MatrixSelector():
            length = _length(node.range, node.range_expression)
            return f"{selector(node.vector)}[{length}]{extension(node.vector)}{suffix(node.vector.timing)}"
        case Subquery():
            return write(node.expression) + subquery_range(node)
        case Call():
            return f"{node.function.name}({', '.join(map(write, node.arguments))})"
        case Aggregation():
            inner = write(node.expression)
            if node.parameter is not None:
                inner = f"{write(node.parameter)}, {inner}"
            return f"{aggregation_head(node)}({inner})"
        case Binary():
            return f"{write(node.left)} {operator(node)} {write(node.right)}"
        case Unary():
            return f"{node.operator}{write(node.expression)}"
        case Paren():
            return f"({write(node.expression)})"
        case Duration():
            return _duration(node)
        case _:
            return write(node.expression)


def selector(node: VectorSelector) -> str:
    """Name and matchers."""
    shown = [
        str(matcher)
        for matcher in node.matchers
        if not (matcher.label == NAME and matcher.operator == "=" and matcher.value == node.name and node.name)
    ]
    return f"{node.name}{{{','.join(sorted(shown))}}}" if shown else node.name or "{}"


def suffix(timing: Timing) -> str:
    """`@` and `offset`."""
    at = ""
    if isinstance(timing.at, int):
        at = f" @ {timing.at / 1000:.3f}"
    elif timing.at is not None:
        at = f" @ {timing.at}()"
    if timing.offset_expression is not None:
        return f"{at} offset {write(timing.offset_expression)}"
    return f"{at} offset {format_duration(timing.offset)}" if timing.offset else at


def extension(node: VectorSelector) -> str:
    """` anchored` or ` smoothed`."""
    return f" {node.extension}" if node.extension else ""


def subquery_range(node: Subquery) -> str:
    """`[range:step]` with what follows."""
    step = _length(node.step, node.step_expression) if node.step or node.step_expression else ""
    return f"[{_length(node.range, node.range_expression)}:{step}]{suffix(node.timing)}"


def aggregation_head(node: Aggregation) -> str:
    """The operator and its grouping."""
    if node.without:
        return f"{node.operator} without ({labels(node.grouping)}) "
    return f"{node.operator} by ({labels(node.grouping)}) " if node.grouping else node.operator


def operator(node: Binary) -> str:
    """A binary operator with its modifiers."""
    text = node.operator + (" bool" if node.return_bool else "")
    return text + _matching(node.matching) if node.matching else text


def labels(names: Iterable[str]) -> str:
    """Label names, in quotes where they need them."""
    return ", ".join(name if _LEGACY.fullmatch(name) else quote(name) for name in names)


def _matching(matching: Matching) -> str:
    text = ""
    if matching.labels or matching.on:
        text = f" {'on' if matching.on else 'ignoring'} ({labels(matching.labels)})"
        if matching.card in ("many-to-one", "one-to-many"):
            side = "left" if matching.card == "many-to-one" else "right"
            text += f" group_{side} ({labels(matching.include)})"
    left, right = matching.fill_left, matching.fill_right
    if left is not None and (left == right or (left != left and right is not None and right != right)):
        return f"{text} fill ({format_f(left)})"
    if left is not None:
        text += f" fill_left ({format_f(left)})"
    return text if right is None else f"{text} fill_right ({format_f(right)})"


def _length(milliseconds: int, expression: Duration | None) -> str:
    return write(expression) if expression is not None else format_duration(milliseconds)


def _duration(node: Duration) -> str:
    if node.operator in ("step", "range", "min", "max"):
        text = f"{node.operator}({', '.join(map(write, node.operands))})"
    elif len(node.operands) == 1:
        text = f"{node.operator}{write(node.operands[0])}"
    else:
        text = f"{write(node.operands[0])} {node.operator} {write(node.operands[1])}"
    return f"({text})" if node.wrapped else text
