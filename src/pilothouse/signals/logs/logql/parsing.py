"""Whole queries: stream selectors and metric expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.checking import check_aggregation, check_selector, check_sides, number_or_none
from pilothouse.signals.logs.logql.cursor import Cursor
from pilothouse.signals.logs.logql.parsing_stages import number_of, stages
from pilothouse.signals.logs.logql.quantities import duration_nanoseconds
from pilothouse.signals.logs.logql.tokens import LogQLError
from pilothouse.signals.selector import Matcher

if TYPE_CHECKING:
    from pilothouse.signals.logs.logql.tokens import Token

RANGE_AGGREGATIONS = frozenset({
    "rate", "rate_counter", "count_over_time", "bytes_rate", "bytes_over_time", "absent_over_time", "sum_over_time",
    "avg_over_time", "min_over_time", "max_over_time", "first_over_time", "last_over_time", "stddev_over_time",
    "stdvar_over_time", "quantile_over_time",
})  # fmt: skip
VECTOR_AGGREGATIONS = frozenset({
    "sum", "avg", "min", "max", "count", "stddev", "stdvar", "topk", "bottomk", "approx_topk", "sort", "sort_desc",
})  # fmt: skip
_TAKES_NUMBER = frozenset({"topk", "bottomk", "approx_topk"})
# From loosest to tightest, as in Prometheus; `^` binds to the right.
_LEVELS = (("or",), ("and", "unless"), ("==", "!=", ">", ">=", "<", "<="), ("+", "-"), ("*", "/", "%"), ("^",))
_COMPARISONS = frozenset(_LEVELS[2])


def parse(text: str, allow_all: bool = False) -> tree.Query:
    """The query that `text` says; raises `LogQLError` with line and column.

    With `allow_all` a selector may mean every stream, which Loki's own API refuses.
    """
    cursor = Cursor(text, allow_all)
    query = _expression(cursor, 0)
    if cursor.next.kind != "END":
        cursor.unexpected()
    return query


def parse_log_query(text: str) -> tree.LogQuery:
    """A query for lines; an expression for numbers is refused."""
    query = parse(text)
    if not isinstance(query, tree.LogQuery):
        raise LogQLError("only log selector is supported")
    return query


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Just `{label="value"}`, where empty braces are allowed."""
    cursor = Cursor(text)
    matchers = _matchers(cursor)
    if cursor.next.kind != "END":
        cursor.unexpected()
    return matchers


def _expression(cursor: Cursor, level: int) -> tree.Query:
    if level == len(_LEVELS):
        return _unary(cursor)
    cursor.descend()
    left = _expression(cursor, level + 1)
    while operator := _operator(cursor, level, left):
        returns_bool = bool(cursor.accept("bool"))
        if returns_bool and operator.kind not in _COMPARISONS:
            cursor.wrong("bool modifier can only be used on comparison operators", operator)
        matching = _matching(cursor)
        right = _expression(cursor, level if operator.kind == "^" else level + 1)
        name = operator.word if operator.kind == "IDENTIFIER" else operator.kind
        check_sides(cursor, operator, name, left, right)
        left = _folded(tree.Binary(name, left, right, returns_bool, matching))
    cursor.ascend()
    return left


def _operator(cursor: Cursor, level: int, left: tree.Query):  # type: ignore[no-untyped-def]
    return cursor.accept(*_LEVELS[level])


def _folded(binary: tree.Binary) -> tree.Query:
    """Two literals are one literal."""
    if isinstance(binary.left, tree.Number) and isinstance(binary.right, tree.Number):
        value = number_or_none(binary.operator, binary.left.value, binary.right.value)
        return tree.Number(value) if value is not None else binary
    return binary


def _matching(cursor: Cursor) -> tree.Matching | None:
    found = cursor.accept("on", "ignoring")
    if not found:
        return None
    labels, group = _names(cursor), ""
    include: tuple[str, ...] = ()
    if side := cursor.accept("group_left", "group_right"):
        group = side.word
        include = _names(cursor) if cursor.is_at("(") else ()
    return tree.Matching(labels, found.word == "on", group, include)


def _unary(cursor: Cursor) -> tree.Query:
    token = cursor.next
    if token.kind in ("+", "-"):
        cursor.take()
        value = number_of(cursor.expect("NUMBER").value)
        return tree.Number(-value if token.kind == "-" else value)
    if token.kind == "NUMBER":
        return tree.Number(number_of(cursor.take().value))
    if token.kind == "{":
        return _log_query(cursor)
    if cursor.accept("("):
        inner = _expression(cursor, 0)
        cursor.expect(")")
        return inner
    if token.kind == "IDENTIFIER" and cursor.after.kind in ("(", "IDENTIFIER"):
        return _call(cursor)
    return cursor.unexpected()


def _log_query(cursor: Cursor) -> tree.LogQuery:
    start = cursor.next
    matchers = _matchers(cursor)
    check_selector(cursor, matchers, start)
    found, unwrap = stages(cursor)
    if unwrap:
        cursor.wrong("unwrap is only for the aggregations of a range", start)
    return tree.LogQuery(matchers, found)


def _matchers(cursor: Cursor) -> tuple[Matcher, ...]:
    cursor.expect("{")
    found: list[Matcher] = []
    if cursor.accept("}"):
        return ()
    while True:
        label = cursor.expect("IDENTIFIER", *(("}",) if not found else ()))
        operator = cursor.expect("=", "=~", "!~", "!=")
        text = cursor.expect("STRING")
        if operator.kind in ("=~", "!~"):
            from pilothouse.signals.logs.logql.checking import check_regexp

            check_regexp(cursor, text)
        found.append(Matcher(label.value, operator.kind, text.value))
        if cursor.expect("}", ",").kind == "}":
            return tuple(found)


def _call(cursor: Cursor) -> tree.Query:
    name = cursor.next.word
    if name in RANGE_AGGREGATIONS:
        return _range_aggregation(cursor)
    if name in VECTOR_AGGREGATIONS:
        return _vector_aggregation(cursor)
    if name == "label_replace":
        return _label_replace(cursor)
    if name == "vector":
        cursor.take()
        cursor.expect("(")
        sign = -1 if cursor.accept("-") else 1
        value = sign * number_of(cursor.expect("NUMBER").value)
        cursor.expect(")")
        return tree.VectorOf(value)
    return cursor.unexpected()


def _range_aggregation(cursor: Cursor) -> tree.RangeAggregation:
    name = cursor.take()
    grouping = _grouping(cursor)
    cursor.expect("(")
    parameter = _quantile(cursor, name)
    query, unwrap, span, offset = _ranged(cursor)
    cursor.expect(")")
    if parameter is None and name.word == "quantile_over_time":
        cursor.wrong(f"parameter required for operation {name.word}", name)
    grouping = grouping or _grouping(cursor)
    check_aggregation(cursor, name, unwrap, grouping)
    return tree.RangeAggregation(name.word, query, span, offset, unwrap, grouping, parameter)


def _quantile(cursor: Cursor, name: Token) -> float | None:
    """The number in front of a log query."""
    if not cursor.is_at("NUMBER", "-"):
        return None
    sign = -1 if cursor.accept("-") else 1
    token = cursor.expect("NUMBER")
    if name.word != "quantile_over_time":
        cursor.wrong(f"parameter {token.value} not supported for operation {name.word}", name)
    cursor.expect(",")
    return sign * number_of(token.value)


def _ranged(cursor: Cursor) -> tuple[tree.LogQuery, tree.Unwrap | None, int, int]:
    """A log query with its range; the range may stand behind the selector or behind the whole pipeline."""
    wrapped = 0
    while cursor.accept("("):
        wrapped += 1
    start = cursor.next
    matchers = _matchers(cursor)
    check_selector(cursor, matchers, start)
    span, offset = 0, 0
    found: tuple[tree.Stage, ...] = ()
    unwrap: tree.Unwrap | None = None
    for level in range(wrapped + 1):
        if level:
            cursor.expect(")")
        for _ in range(2):
            if not span and cursor.is_at("RANGE"):
                span, offset = _range(cursor), _offset(cursor)
            if not found and not unwrap:
                found, unwrap = stages(cursor)
    if not span:
        cursor.unexpected("RANGE")
    return tree.LogQuery(matchers, found), unwrap, span, offset


def _range(cursor: Cursor) -> int:
    token = cursor.expect("RANGE")
    if not token.value:
        cursor.wrong("empty duration string", token)
    span = duration_nanoseconds(token.value)
    if span is None:
        cursor.wrong(f'not a valid duration string: "{token.value}"', token)
    if span <= 0:
        cursor.wrong("the range must be longer than nothing", token)
    return span


def _offset(cursor: Cursor) -> int:
    if not cursor.accept("offset"):
        return 0
    sign = -1 if cursor.accept("-") else 1
    return sign * (duration_nanoseconds(cursor.expect("DURATION").value) or 0)


def _grouping(cursor: Cursor) -> tree.Grouping | None:
    found = cursor.accept("by", "without")
    return tree.Grouping(_names(cursor), found.word == "without") if found else None


def _names(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect("(")
    found: list[str] = []
    while not cursor.accept(")"):
        found.append(cursor.expect("IDENTIFIER").value)
        if not cursor.accept(",") and not cursor.is_at(")"):
            cursor.unexpected(",", ")")
    return tuple(found)


def _vector_aggregation(cursor: Cursor) -> tree.VectorAggregation:
    name = cursor.take()
    grouping = _grouping(cursor)
    cursor.expect("(")
    parameter = _how_many(cursor, name)
    inner = _expression(cursor, 0)
    if isinstance(inner, tree.LogQuery):
        cursor.unexpected()
    cursor.expect(")")
    if parameter is None and name.word in _TAKES_NUMBER:
        cursor.wrong(f"parameter required for operation {name.word}", name)
    grouping = grouping or _grouping(cursor)
    if grouping and name.word in ("sort", "sort_desc"):
        cursor.wrong(f"grouping is not for {name.word}", name)
    if name.word == "approx_topk" and grouping:
        cursor.wrong("grouping is not allowed for approx_topk aggregation", name)
    return tree.VectorAggregation(name.word, inner, grouping, parameter)


def _how_many(cursor: Cursor, name: Token) -> int | None:
    """The number of series to keep, in front of a vector."""
    token = cursor.next
    if token.kind != "NUMBER" or cursor.after.kind != ",":
        return None
    if name.word not in _TAKES_NUMBER:
        cursor.wrong(f"unsupported parameter for operation {name.word}({token.value},", token)
    if not re.fullmatch(r"\d+", token.value):
        cursor.wrong(f"invalid parameter {name.word}({token.value},", token)
    if int(token.value) < 1:
        cursor.wrong(f"invalid parameter (must be greater than 0) {name.word}({token.value},", token)
    cursor.take()
    cursor.take()
    return int(token.value)


def _label_replace(cursor: Cursor) -> tree.LabelReplace:
    from pilothouse.signals.logs.logql.checking import check_regexp

    cursor.take()
    cursor.expect("(")
    inner = _expression(cursor, 0)
    if isinstance(inner, tree.LogQuery):
        cursor.unexpected()
    found = []
    for _ in range(4):
        cursor.expect(",")
        found.append(cursor.expect("STRING"))
    cursor.expect(")")
    check_regexp(cursor, found[3])
    target, replacement, source, expression = (token.value for token in found)
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", target):
        cursor.wrong(f"invalid destination label name in label_replace: {target}", found[0])
    return tree.LabelReplace(inner, target, replacement, source, expression)
