"""Label filters, and the numbers in labels, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.logs.compiling.scope import NotInSQLError
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.regexes import label_expression

if TYPE_CHECKING:
    from pilothouse.signals.logs.compiling.scope import Scope

_NUMBER = r"^[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_DURATION = r"^[+-]?(?:(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$|^[+-]?0$"
_PARTS = r"([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"
_UNITS = "['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h'], [1., 1e3, 1e3, 1e3, 1e6, 1e9, 6e10, 3.6e12]"


def condition(scope: Scope, test: tree.Test) -> str:
    """The condition of a filter; what it does to errors goes into the scope."""
    match test:
        case tree.Both():
            left = condition(scope, test.left)
            return f"({left} AND {condition(scope, test.right)})"
        case tree.Either():
            return _either(scope, test)
        case tree.StringTest():
            return _string(scope, test)
        case tree.NumberTest():
            return _number(scope, test)
        case tree.IpTest():
            raise NotInSQLError("ip")


def _either(scope: Scope, test: tree.Either) -> str:
    """The right side is not looked at where the left holds, so an error there is not one."""
    left = condition(scope, test.left)
    before = scope.error
    right = condition(scope, test.right)
    if scope.error != before:
        added = scope.error
        scope.error = f"({before} OR (NOT {left} AND {added}))" if before else f"(NOT {left} AND {added})"
    return f"({left} OR {right})"


def _string(scope: Scope, test: tree.StringTest) -> str:
    if test.label == "__error__":
        return _error(scope, test)
    value = f"ifNull({scope.label(test.label)}, '')"
    scope.doubt_text(test.label)
    if test.operator in ("=", "!="):
        return f"({value} {test.operator} {scope.bind(test.value)})"
    matched = f"match({value}, {scope.bind('(?-s)' + label_expression(test.value))})"
    return matched if test.operator == "=~" else f"(NOT {matched})"


def _error(scope: Scope, test: tree.StringTest) -> str:
    """Whether there is an error is known; which one it is, is asked seldom enough for the slow path."""
    if test.value or test.operator not in ("=", "!="):
        raise NotInSQLError("the kind of an error")
    error = scope.error or "0"
    held = f"(NOT {error})" if test.operator == "=" else f"({error})"
    scope.error = "" if test.operator == "=" else scope.error
    return held


def _number(scope: Scope, test: tree.NumberTest) -> str:
    text = scope.label(test.label)
    valid, value = number_sql(scope, text, test.unit)
    wanted = scope.bind(test.value, "Float64")
    passed = f"({text} IS NOT NULL AND (NOT ifNull({valid}, 0) OR {value} {test.operator} {wanted}))"
    held = f"({scope.error} OR {passed})" if scope.error else passed
    scope.errors(f"ifNull(NOT {valid}, 0)")
    return held


def number_sql(scope: Scope, text: str, unit: str) -> tuple[str, str]:
    """Whether a label's text is a number of this unit, and the number (Float64; nanoseconds, bytes)."""
    match unit:
        case "duration":
            valid = scope.alias(f"match({text}, '{_DURATION}')")
            parts = f"extractAllGroupsVertical(assumeNotNull({text}), '{_PARTS}')"
            total = f"arraySum(part -> toFloat64(part[1]) * transform(part[2], {_UNITS}, 0.), {parts})"
            return valid, scope.alias(f"if(startsWith({text}, '-'), -1, 1) * {total}")
        case "bytes":
            raise NotInSQLError("amounts of bytes")
        case _:
            valid = scope.alias(f"match({text}, '{_NUMBER}')")
            scope.doubts.append(f"ifNull(match({text}, '(?i)^[+-]?(?:inf|nan)'), 0)")
            return valid, scope.alias(f"toFloat64OrZero(assumeNotNull({text}))")
