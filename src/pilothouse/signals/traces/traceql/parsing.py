"""From the text of a query to its tree.

One grammar reads spansets, scalars and series, and what an operator joins is checked as it is read: which of them a
parenthesis holds only shows at its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pilothouse.signals.traces.traceql import tree
from pilothouse.signals.traces.traceql.cursor import Cursor
from pilothouse.signals.traces.traceql.parsing_fields import attributes, field, static
from pilothouse.signals.traces.traceql.parsing_series import FUNCTIONS, after, constant, measure
from pilothouse.signals.traces.traceql.tokens import Kind, Token
from pilothouse.signals.traces.traceql.tree import NUMERIC

STRUCTURAL = (
    ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~",
)  # fmt: skip
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_BINDING = (
    dict.fromkeys(("&&", "||"), 1)
    | dict.fromkeys((*STRUCTURAL, *_COMPARISONS), 2)
    | dict.fromkeys(("+", "-"), 3)
    | dict.fromkeys(("*", "/", "%"), 5)
    | {"^": 6}
)
AGGREGATES = ("count", "avg", "min", "max", "sum")
# What an operand is: a literal, a scalar, a scalar of a whole pipeline, a comparison of scalars, ...
_STATIC, _SCALAR, _PIPED_SCALAR, _TEST, _PIPED_TEST = "static", "scalar", "piped scalar", "test", "piped test"
_SPANSETS, _PIPED, _STAGE, _SERIES = "spansets", "piped spansets", "stage", "series"


@dataclass(frozen=True, slots=True)
class _Operand:
    """A part of the query and what it is; `wrapped` when it stood in parentheses."""

    what: str
    node: Any
    wrapped: bool = False


def parse(query: str) -> tree.Query:
    """The tree of a query. Raises `ParseError` with line and column."""
    cursor = Cursor(query)
    root = _pipeline(cursor)
    if root.what == _SERIES:
        root = _Operand(_SERIES, _with_after(cursor, root.node))
    hints = _hints(cursor)
    if cursor.token.kind is not Kind.END or root.what in (_STATIC, _SCALAR, _PIPED_SCALAR):
        raise cursor.unexpected()
    node = root.node if root.what == _SERIES or isinstance(root.node, tree.Pipeline) else tree.Pipeline((root.node,))
    return tree.Query(node, hints)


def _pipeline(cursor: Cursor) -> _Operand:
    """Stages joined by `|`, or an expression."""
    cursor.deeper()
    first = _expression(cursor)
    cursor.higher()
    if first.what not in (_SPANSETS, _TEST, _STAGE) or not cursor.at("|"):
        return first
    stages = [first.node]
    while cursor.accept("|"):
        if cursor.token.kind is Kind.WORD and cursor.token.text in FUNCTIONS:
            made = measure(cursor, tree.Pipeline(tuple(stages)), _filter)
            return _Operand(_SERIES, replace(made, after=after(cursor)))
        if cursor.accept("coalesce"):
            cursor.expect("(")
            cursor.expect(")")
            stages.append(tree.Coalesce())
            continue
        token = cursor.token
        stage = _expression(cursor)
        stages.append(stage.node)
        if stage.what == _SCALAR and isinstance(stage.node, tree.Aggregate) and cursor.at(")"):
            return _Operand(_PIPED_SCALAR, tree.Pipeline(tuple(stages)))
        if stage.what not in (_SPANSETS, _TEST, _STAGE):
            raise cursor.fail(f"syntax error: a pipeline cannot go on with {stage.what} at {token.said()}")
    return _Operand(_PIPED, tree.Pipeline(tuple(stages)))


def _with_after(cursor: Cursor, node: Any) -> Any:
    more = after(cursor)
    return replace(node, after=(*node.after, *more)) if more else node


def _expression(cursor: Cursor, least: int = 0) -> _Operand:
    left = _operand(cursor)
    while (binding := _BINDING.get(cursor.token.text, 0) if cursor.token.kind is Kind.OPERATOR else 0) > least:
        operator = cursor.token
        if left.what == _SERIES and operator.text in _COMPARISONS:
            # A comparison with a number, which belongs to all of the series before it.
            if least:
                break
            left = _Operand(_SERIES, _with_after(cursor, left.node))
            continue
        cursor.take()
        right = _expression(cursor, binding - 1 if operator.text == "^" else binding)
        left = _joined(cursor, operator, left, right)
    return left


def _operand(cursor: Cursor) -> _Operand:
    token = cursor.token
    if cursor.at("{"):
        return _Operand(_SPANSETS, _filter(cursor))
    if cursor.accept("("):
        inner = _pipeline(cursor)
        cursor.expect(")")
        return _Operand({_TEST: _PIPED, _STAGE: _PIPED}.get(inner.what, inner.what), inner.node, wrapped=True)
    if token.kind is Kind.WORD and cursor.follows("("):
        if token.text in AGGREGATES:
            return _Operand(_SCALAR, _aggregate(cursor))
        if token.text in ("by", "select"):
            return _Operand(_STAGE, _stage(cursor))
    if cursor.accept("-"):
        number = static(cursor)
        if number is None or number.type not in NUMERIC:
            raise cursor.unexpected(", expecting a number")
        return _Operand(_SCALAR, tree.Static(number.type, -number.value))  # type: ignore[operator]
    if (literal := static(cursor)) is not None:
        return _Operand(_SCALAR if literal.type in NUMERIC else _STATIC, literal)
    raise cursor.unexpected()


def _joined(cursor: Cursor, operator: Token, left: _Operand, right: _Operand) -> _Operand:
    """What an operator makes of two operands."""
    text, kinds = operator.text, {left.what, right.what}
    if text in ("&&", "||", *STRUCTURAL) and (what := _spansets_of(left, right)):
        return _Operand(what, tree.SpansetOperation(text, left.node, right.node))
    if text in ("+", "-", "*", "/", "%", "^"):
        if kinds in ({_SCALAR}, {_PIPED_SCALAR}):
            return _Operand(left.what, tree.ScalarOperation(text, left.node, right.node))
        if _SERIES in kinds and text in "+-*/":
            return _Operand(_SERIES, tree.SeriesOperation(text, _series(cursor, left), _series(cursor, right)))
    if text in _COMPARISONS:
        if kinds == {_SCALAR}:
            return _Operand(_TEST, tree.ScalarFilter(text, left.node, right.node))
        literal = isinstance(right.node, tree.Static) and not right.wrapped
        if left.what == _PIPED_SCALAR and (right.what == _PIPED_SCALAR or literal):
            return _Operand(_PIPED_TEST, tree.ScalarFilter(text, left.node, right.node))
    raise cursor.fail(f"syntax error: unexpected {text} between {left.what} and {right.what}", operator)


def _spansets_of(left: _Operand, right: _Operand) -> str:
    """What a spanset operator makes of both; empty when it cannot join them."""
    if left.what == right.what == _SPANSETS:
        return _SPANSETS
    piped = all(part.what == _PIPED or (part.what == _SPANSETS and part.wrapped) for part in (left, right))
    return _PIPED if piped else ""


def _series(cursor: Cursor, part: _Operand) -> Any:
    if part.what == _SCALAR:
        return constant(cursor, part.node)
    if not part.wrapped and not isinstance(part.node, tree.SeriesOperation):
        raise cursor.unexpected(": arithmetic needs parentheses around both series")
    return part.node


def _filter(cursor: Cursor) -> tree.Filter:
    cursor.expect("{")
    if cursor.accept("}"):
        return tree.Filter(tree.Static(tree.Type.BOOLEAN, True))
    condition = field(cursor)
    cursor.expect("}")
    return tree.Filter(condition)


def _aggregate(cursor: Cursor) -> tree.Aggregate:
    function = cursor.take().text
    cursor.expect("(")
    inner = None if function == "count" else field(cursor)
    cursor.expect(")")
    return tree.Aggregate(function, inner)


def _stage(cursor: Cursor) -> tree.Group | tree.Select:
    if cursor.take().text == "select":
        return tree.Select(attributes(cursor))
    cursor.expect("(")
    inner = field(cursor)
    cursor.expect(")")
    return tree.Group(inner)


def _hints(cursor: Cursor) -> tuple[tuple[str, tree.Static], ...]:
    found: list[tuple[str, tree.Static]] = []
    while cursor.accept("with"):
        cursor.expect("(")
        found.append(_hint(cursor))
        while cursor.accept(","):
            found.append(_hint(cursor))
        cursor.expect(")")
    return tuple(found)


def _hint(cursor: Cursor) -> tuple[str, tree.Static]:
    if cursor.token.kind is not Kind.WORD:
        raise cursor.unexpected(", expecting IDENTIFIER")
    name = cursor.take().text
    cursor.expect("=")
    value = static(cursor)
    if value is None:
        raise cursor.unexpected(", expecting a literal")
    return name, value
