"""Label filters: `| status >= 500 and method="GET"` (Loki, "Label filter expression")."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.addresses import matcher
from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.quantities import amount_bytes, go_duration_nanoseconds
from pilothouse.signals.logs.regexes import compiled, label_expression

if TYPE_CHECKING:
    from pilothouse.signals.logs.pipeline.entry import Entry

FAILED = "LabelFilterErr"
Test = Callable[["Entry"], bool]
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_FLOAT = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])")


def go_float(text: str) -> float | None:
    """A number as Go's strconv.ParseFloat reads decimal ones; None when it is none."""
    return float(text) if _FLOAT.fullmatch(text) else None


def tester(test: tree.Test) -> Test:
    """The test as a function of an entry."""
    match test:
        case tree.Both():
            return _both(tester(test.left), tester(test.right))
        case tree.Either():
            return _either(tester(test.left), tester(test.right))
        case tree.StringTest():
            return _string(test)
        case tree.IpTest():
            return _address(test)
        case tree.NumberTest():
            return _number(test)


def _both(left: Test, right: Test) -> Test:
    def test(entry: Entry) -> bool:
        held = left(entry)
        return right(entry) and held

    return test


def _either(left: Test, right: Test) -> Test:
    return lambda entry: left(entry) or right(entry)


def matches(test: tree.StringTest) -> Callable[[str], bool]:
    """A string test as a function of the value."""
    if test.operator in ("=", "!="):
        wanted = test.value
        return (lambda value: value == wanted) if test.operator == "=" else (lambda value: value != wanted)
    search = compiled(label_expression(test.value)).search
    return (lambda value: bool(search(value))) if test.operator == "=~" else (lambda value: not search(value))


def _string(test: tree.StringTest) -> Test:
    holds, label = matches(test), test.label
    return lambda entry: holds(entry.get(label) or "")


def _address(test: tree.IpTest) -> Test:
    holds, wanted, label = matcher(test.value), test.operator == "=", test.label

    def check(entry: Entry) -> bool:
        if entry.error:
            return True
        value = entry.get(label)
        return value is not None and holds(value) == wanted

    return check


_UNITS: dict[str, tuple[Callable[[str], float | None], str]] = {
    "": (go_float, "strconv.ParseFloat: parsing {!r}: invalid syntax"),
    "duration": (go_duration_nanoseconds, "time: invalid duration {!r}"),
    "bytes": (amount_bytes, "{!r} is no amount of bytes"),
}


def _number(test: tree.NumberTest) -> Test:
    compare, wanted, label = _COMPARISONS[test.operator], test.value, test.label
    convert, reason = _UNITS[test.unit]

    def check(entry: Entry) -> bool:
        if entry.error:
            return True
        text = entry.get(label)
        if text is None:
            return False
        value = convert(text)
        if value is None:
            entry.fail(FAILED, reason.format(text))
            return True
        return compare(value, wanted)

    return check
