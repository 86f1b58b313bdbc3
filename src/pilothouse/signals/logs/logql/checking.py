"""What a grammar cannot say: expressions that compile, aggregations that fit, selectors that select."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.tokens import LogQLError

if TYPE_CHECKING:
    from pilothouse.signals.logs.logql.cursor import Cursor
    from pilothouse.signals.logs.logql.tokens import Token
    from pilothouse.signals.selector import Matcher

_GROUPED = frozenset({
    "avg_over_time", "max_over_time", "min_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time",
    "first_over_time", "last_over_time",
})  # fmt: skip
_UNWRAPPED = _GROUPED | {"sum_over_time", "rate_counter"}
# RE2 takes a name twice and gives the first; Go does not.
_NAMED = re.compile(r"(?<!\\)(?:\\\\)*\(\?P?<(\w+)>")
_EITHER = frozenset({"rate", "absent_over_time"})


def check_regexp(cursor: Cursor, token: Token, named: bool = False) -> None:
    """An expression must compile under RE2; a parser's must name its groups."""
    from pilothouse.signals.logs.regexes import RegexError, compiled

    try:
        expression = compiled(token.value)
    except RegexError as error:
        cursor.wrong(f"error parsing regexp: {error}", token)
    if named:
        names = expression.groupindex
        if not names:
            cursor.wrong("at least one named capture must be supplied", token)
        for name in names:
            if not name.replace("_", "a").isalnum() or name[0].isdigit():
                cursor.wrong(f"invalid extracted label name '{name}'", token)
        written = _NAMED.findall(token.value)
        for name in written:
            if written.count(name) > 1:
                cursor.wrong(f"duplicate extracted label name '{name}'", token)


def check_pattern(cursor: Cursor, token: Token) -> None:
    """A pattern must have a named capture, each once, and none beside another."""
    from pilothouse.signals.logs.linepatterns import PatternError, parse_pattern

    try:
        parse_pattern(token.value, captures=True)
    except PatternError as error:
        cursor.wrong(str(error), token)


def check_line_pattern(cursor: Cursor, token: Token) -> None:
    """A pattern of a line filter has only unnamed captures."""
    from pilothouse.signals.logs.linepatterns import PatternError, parse_pattern

    try:
        parse_pattern(token.value, captures=False)
    except PatternError as error:
        cursor.wrong(str(error), token)


def check_ip(cursor: Cursor, token: Token) -> None:
    """An address, a range of addresses or a CIDR."""
    from pilothouse.signals.logs.addresses import AddressError, matcher

    try:
        matcher(token.value)
    except AddressError as error:
        cursor.wrong(str(error), token)


def check_json_path(cursor: Cursor, path: str) -> None:
    """`a.b[0]["c d"]`."""
    from pilothouse.signals.logs.jsonpaths import PathError, parse_path

    try:
        parse_path(path)
    except PathError as error:
        raise LogQLError(f"cannot parse expression [{path}]: {error}", cursor.next.line, cursor.next.column) from None


def check_template(cursor: Cursor, token: Token) -> None:
    """A Go template must parse and know its functions."""
    from pilothouse.signals.logs.templates import TemplateError, template

    try:
        template(token.value)
    except TemplateError as error:
        cursor.wrong(f"invalid line template: {error}", token)


def check_selector(cursor: Cursor, matchers: tuple[Matcher, ...], token: Token) -> None:
    """At least one matcher must not also match what has no such label (Loki, validateMatchers)."""
    if not cursor.allow_all and not any(_needs_something(matcher) for matcher in matchers):
        cursor.wrong(
            "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
            'For instance, app=~".*" does not meet this requirement, but app=~".+" will',
            token,
        )


def _needs_something(matcher: Matcher) -> bool:
    from pilothouse.signals.logs.regexes import compiled

    match matcher.operator:
        case "=":
            return matcher.value != ""
        case "!=":
            return matcher.value == ""
        case "=~":
            return not compiled(f"(?s:{matcher.value})").fullmatch("")
        case _:
            return bool(compiled(f"(?s:{matcher.value})").fullmatch(""))


def check_aggregation(cursor: Cursor, name: Token, unwrap: tree.Unwrap | None, grouping: tree.Grouping | None) -> None:
    """Which aggregations of a range need `unwrap`, and which may be grouped."""
    if unwrap and name.word not in _UNWRAPPED | _EITHER:
        cursor.wrong(f"invalid aggregation {name.word} with unwrap", name)
    if not unwrap and name.word in _UNWRAPPED:
        cursor.wrong(f"invalid aggregation {name.word} without unwrap", name)
    if grouping and name.word not in _GROUPED:
        cursor.wrong(f"grouping not allowed for {name.word} aggregation", name)


def check_sides(cursor: Cursor, token: Token, operator: str, left: tree.Query, right: tree.Query) -> None:
    """Lines cannot be calculated with, and sets are not made of literals."""
    for side, name in ((left, "left"), (right, "right")):
        if isinstance(side, tree.LogQuery):
            cursor.wrong(f"unexpected type for {name} leg of binary operation ({operator}): it selects lines", token)
        if isinstance(side, tree.Number) and operator in ("and", "or", "unless"):
            cursor.wrong(f"unexpected literal for {name} leg of logical/set binary operation ({operator})", token)


def number_or_none(operator: str, left: float, right: float) -> float | None:
    """The value of an operation on two literals; a comparison that does not hold is 0."""
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else math.nan
        case "%":
            return math.fmod(left, right) if right else math.nan
        case "^":
            try:
                return math.pow(left, right)
            except (OverflowError, ValueError):
                return math.inf if left > 0 else math.nan
        case "==":
            return float(left == right)
        case "!=":
            return float(left != right)
        case ">":
            return float(left > right)
        case ">=":
            return float(left >= right)
        case "<":
            return float(left < right)
        case "<=":
            return float(left <= right)
    return None
