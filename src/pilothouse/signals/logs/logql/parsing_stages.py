"""The stages of a pipeline: what follows a stream selector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.checking import (
    check_ip,
    check_json_path,
    check_line_pattern,
    check_pattern,
    check_regexp,
    check_template,
)
from pilothouse.signals.logs.logql.quantities import amount_bytes, duration_nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.signals.logs.logql.cursor import Cursor

LINE_OPERATORS = ("|=", "!=", "|~", "!~", "|>", "!>")
_COMPARISONS = ("=", "==", "!=", ">", ">=", "<", "<=")


def stages(cursor: Cursor) -> tuple[tuple[tree.Stage, ...], tree.Unwrap | None]:
    """All stages, and the `unwrap` that may end them."""
    found: list[tree.Stage] = []
    while True:
        if cursor.is_at(*LINE_OPERATORS):
            found.append(_line_filter(cursor))
        elif cursor.is_at("|"):
            cursor.take()
            if cursor.accept("unwrap"):
                return tuple(found), _unwrap(cursor)
            found.append(_stage(cursor))
        else:
            return tuple(found), None


def _line_filter(cursor: Cursor) -> tree.LineFilter:
    operator = cursor.take().kind
    needles = [_needle(cursor, operator)]
    while cursor.accept("or"):
        needles.append(_needle(cursor, operator))
    return tree.LineFilter(operator, tuple(needles))


def _needle(cursor: Cursor, operator: str) -> tree.Needle:
    token = cursor.next
    if token.kind == "IDENTIFIER" and token.word == "ip":
        cursor.take()
        cursor.expect("(")
        text = cursor.expect("STRING")
        cursor.expect(")")
        if operator not in ("|=", "!="):
            cursor.wrong(f"ip: invalid operator {operator!r}", token)
        check_ip(cursor, text)
        return tree.Needle(text.value, ip=True)
    text = cursor.expect("STRING", "ip")
    if operator in ("|~", "!~"):
        check_regexp(cursor, text)
    if operator in ("|>", "!>"):
        check_line_pattern(cursor, text)
    return tree.Needle(text.value)


def _stage(cursor: Cursor) -> tree.Stage:
    token = cursor.next
    if token.kind == "IDENTIFIER" and token.word in _STAGES and cursor.after.kind not in _OF_LABELS:
        cursor.take()
        return _STAGES[token.word](cursor)
    if token.kind in ("IDENTIFIER", "("):
        return tree.LabelFilter(label_test(cursor))
    return cursor.unexpected("STRING", "IDENTIFIER", "(")


_COMPARING = frozenset({*_COMPARISONS, "=~", "!~"})
# Behind `| json` these begin a line filter; behind a label that is called so, the others compare.
_OF_LABELS = _COMPARING - {"!=", "!~"}


def _json(cursor: Cursor) -> tree.Stage:
    found = _expressions(cursor)
    for _, path in found:
        check_json_path(cursor, path)
    return tree.Json(found)


def _logfmt(cursor: Cursor) -> tree.Stage:
    flags = set()
    while flag := cursor.accept("--strict", "--keep-empty"):
        flags.add(flag.kind)
    return tree.Logfmt("--strict" in flags, "--keep-empty" in flags, _expressions(cursor))


def _expressions(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """`a="path", b, c="other"`; a name alone stands for itself."""
    found: list[tuple[str, str]] = []
    while cursor.next.kind == "IDENTIFIER":
        label = cursor.take().value
        found.append((label, cursor.expect("STRING").value if cursor.accept("=") else label))
        if not cursor.accept(","):
            break
    return tuple(found)


def _regexp(cursor: Cursor) -> tree.Stage:
    text = cursor.expect("STRING")
    check_regexp(cursor, text, named=True)
    return tree.Regexp(text.value)


def _pattern(cursor: Cursor) -> tree.Stage:
    text = cursor.expect("STRING")
    check_pattern(cursor, text)
    return tree.Pattern(text.value)


def _line_format(cursor: Cursor) -> tree.Stage:
    text = cursor.expect("STRING")
    check_template(cursor, text)
    return tree.LineFormat(text.value)


def _label_format(cursor: Cursor) -> tree.Stage:
    items: list[tuple[str, str, bool]] = []
    while True:
        label = cursor.expect("IDENTIFIER")
        if label.value == "__error__":
            cursor.wrong("__error__ cannot be formatted", label)
        if any(label.value == known for known, _, _ in items):
            cursor.wrong(f"multiple label name '{label.value}' not allowed in a single format operation", label)
        cursor.expect("=")
        source = cursor.expect("IDENTIFIER", "STRING")
        if source.kind == "STRING":
            check_template(cursor, source)
        items.append((label.value, source.value, source.kind == "STRING"))
        if not cursor.accept(","):
            return tree.LabelFormat(tuple(items))


def _named(
    make: Callable[[tuple[str, ...], tuple[tree.StringTest, ...]], tree.Stage],
) -> Callable[[Cursor], tree.Stage]:
    def read(cursor: Cursor) -> tree.Stage:
        names, matchers = [], []
        while True:
            label = cursor.expect("IDENTIFIER")
            if operator := cursor.accept("=", "!=", "=~", "!~"):
                text = cursor.expect("STRING")
                if operator.kind in ("=~", "!~"):
                    check_regexp(cursor, text)
                matchers.append(tree.StringTest(label.value, operator.kind, text.value))
            else:
                names.append(label.value)
            if not cursor.accept(","):
                return make(tuple(names), tuple(matchers))

    return read


_STAGES: dict[str, Callable[[Cursor], tree.Stage]] = {
    "json": _json,
    "logfmt": _logfmt,
    "regexp": _regexp,
    "pattern": _pattern,
    "unpack": lambda cursor: tree.Unpack(),
    "line_format": _line_format,
    "label_format": _label_format,
    "decolorize": lambda cursor: tree.Decolorize(),
    "drop": _named(tree.Drop),
    "keep": _named(tree.Keep),
}


def label_test(cursor: Cursor) -> tree.Test:
    """Tests joined by `and`, a comma, nothing, or `or`.

    As in Loki's parser, `and` binds tighter than `or`, and what follows a comma or nothing belongs together, so that
    `a, b or c` is `a and (b or c)`.
    """
    tests, waiting = [_single_test(cursor)], [""]
    while True:
        if cursor.accept("or"):
            _join(tests, waiting, "and", "or")
            waiting.append("or")
        elif cursor.accept("and"):
            _join(tests, waiting, "and")
            waiting.append("and")
        elif cursor.accept(",") or cursor.is_at("(") or _starts_test(cursor):
            waiting.append(",")
        else:
            _join(tests, waiting, "and", "or", ",")
            return tests[0]
        tests.append(_single_test(cursor))


def _join(tests: list[tree.Test], waiting: list[str], *operators: str) -> None:
    """Join the last two tests for as long as one of these operators waits between them."""
    while waiting[-1] in operators:
        right = tests.pop()
        tests[-1] = tree.Either(tests[-1], right) if waiting.pop() == "or" else tree.Both(tests[-1], right)


def _starts_test(cursor: Cursor) -> bool:
    return cursor.next.kind == "IDENTIFIER" and cursor.after.kind in _COMPARING


def _single_test(cursor: Cursor) -> tree.Test:
    if cursor.accept("("):
        cursor.descend()
        test = label_test(cursor)
        cursor.ascend()
        cursor.expect(")")
        return test
    label = cursor.expect("IDENTIFIER").value
    operator = cursor.expect(*_COMPARISONS, "=~", "!~")
    value = cursor.next
    if value.kind == "STRING" and operator.kind in ("=", "!=", "=~", "!~"):
        cursor.take()
        if operator.kind in ("=~", "!~"):
            check_regexp(cursor, value)
        return tree.StringTest(label, operator.kind, value.value)
    if operator.kind in ("=~", "!~"):
        cursor.unexpected("STRING")
    if value.kind == "IDENTIFIER" and value.word == "ip" and operator.kind in ("=", "!="):
        cursor.take()
        cursor.expect("(")
        text = cursor.expect("STRING")
        cursor.expect(")")
        check_ip(cursor, text)
        return tree.IpTest(label, operator.kind, text.value)
    return _number_test(cursor, label, "==" if operator.kind == "=" else operator.kind)


def _number_test(cursor: Cursor, label: str, operator: str) -> tree.Test:
    sign = cursor.accept("-", "+")
    factor = -1 if sign and sign.kind == "-" else 1
    token = cursor.expect("BYTES", "NUMBER", "DURATION")
    written = ("-" if factor < 0 else "") + token.value
    if token.kind == "DURATION":
        return tree.NumberTest(label, operator, factor * (duration_nanoseconds(token.value) or 0), "duration", written)
    if token.kind == "BYTES":
        return tree.NumberTest(label, operator, factor * (amount_bytes(token.value) or 0), "bytes", written)
    return tree.NumberTest(label, operator, factor * number_of(token.value), "", written)


def number_of(text: str) -> float:
    """A number as Go reads it."""
    return float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)


def _unwrap(cursor: Cursor) -> tree.Unwrap:
    first = cursor.expect("IDENTIFIER")
    label, conversion = first.value, ""
    if cursor.is_at("("):
        if first.word not in ("duration", "duration_seconds", "bytes"):
            cursor.wrong(f"unknown unwrap conversion {first.value!r}", first)
        cursor.take()
        conversion, label = first.word, cursor.expect("IDENTIFIER").value
        cursor.expect(")")
    filters = []
    while cursor.accept("|"):
        filters.append(tree.LabelFilter(label_test(cursor)))
    return tree.Unwrap(label, conversion, tuple(filters))
