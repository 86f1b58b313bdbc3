"""From a tree back to text: on one line, or (for `format_query`) one stage a line when it is long."""

from __future__ import annotations

import json
import math

from pilothouse.signals.logs.logql import tree
from pilothouse.signals.logs.logql.quantities import write_duration
from pilothouse.signals.logs.templates.printing import float_shown, plain
from pilothouse.signals.selector import Matcher

_WIDEST = 100


def write(query: tree.Query) -> str:
    """The query on one line, in the language's usual form."""
    match query:
        case tree.LogQuery():
            return " ".join([selector(query.matchers), *map(stage, query.stages)])
        case tree.RangeAggregation():
            return _range(query)
        case tree.VectorAggregation():
            number = f"{query.parameter}," if query.parameter is not None else ""
            return f"{query.operator}{_grouping(query.grouping)}({number}{write(query.inner)})"
        case tree.Binary():
            bool_word = " bool" if query.returns_bool else ""
            return f"({write(query.left)} {query.operator}{bool_word}{_matching(query.matching)} {write(query.right)})"
        case tree.Number():
            return _number(query.value)
        case tree.VectorOf():
            return f"vector({_number(query.value)})"
        case tree.LabelReplace():
            texts = ",".join(map(quoted, (query.target, query.replacement, query.source, query.expression)))
            return f"label_replace({write(query.inner)},{texts})"


def pretty(query: tree.Query, level: int = 0) -> str:
    """The query with what is too long for a line broken into indented ones."""
    pad, short = "  " * level, write(query)
    if len(pad) + len(short) <= _WIDEST:
        return pad + short
    match query:
        case tree.LogQuery():
            return "\n".join([pad + selector(query.matchers), *(f"{pad}  {stage(found)}" for found in query.stages)])
        case tree.RangeAggregation():
            inner = pretty(query.query, level + 1)
            rest = ([f"{pad}  {_unwrap(query.unwrap)}"] if query.unwrap else []) + [f"{pad}  {_span(query)}"]
            return "\n".join([f"{pad}{query.operator}(", inner, *rest, f"{pad}){_grouping(query.grouping)}"])
        case tree.VectorAggregation():
            number = [f"{pad}  {query.parameter},"] if query.parameter is not None else []
            head = f"{pad}{query.operator}{_grouping(query.grouping)}("
            return "\n".join([head, *number, pretty(query.inner, level + 1), f"{pad})"])
        case tree.Binary():
            bool_word = " bool" if query.returns_bool else ""
            middle = f"{pad}{query.operator}{bool_word}{_matching(query.matching)}"
            return "\n".join([pretty(query.left, level + 1), middle, pretty(query.right, level + 1)])
    return pad + short


def selector(matchers: tuple[Matcher, ...]) -> str:
    """`{label="value", ...}`."""
    return "{" + ", ".join(f"{found.label}{found.operator}{quoted(found.value)}" for found in matchers) + "}"


def stage(found: tree.Stage) -> str:
    """One stage with its pipe."""
    match found:
        case tree.LineFilter():
            needles = (f"ip({quoted(item.text)})" if item.ip else quoted(item.text) for item in found.needles)
            return f"{found.operator} {' or '.join(needles)}"
        case tree.Json():
            return " ".join(["| json", *([_expressions(found.expressions)] if found.expressions else [])])
        case tree.Logfmt():
            flags = ["--strict"] * found.strict + ["--keep-empty"] * found.keep_empty
            return " ".join(["| logfmt", *flags, *([_expressions(found.expressions)] if found.expressions else [])])
        case tree.Regexp() | tree.Pattern():
            return f"| {type(found).__name__.lower()} {quoted(found.expression)}"
        case tree.Unpack() | tree.Decolorize():
            return f"| {type(found).__name__.lower()}"
        case tree.LabelFilter():
            return f"| {test(found.test)}"
        case tree.LineFormat():
            return f"| line_format {quoted(found.template)}"
        case tree.LabelFormat():
            items = (f"{label}={quoted(source) if template else source}" for label, source, template in found.items)
            return f"| label_format {','.join(items)}"
        case tree.Drop() | tree.Keep():
            return f"| {type(found).__name__.lower()} {','.join([*found.names, *map(test, found.matchers)])}"


def test(found: tree.Test) -> str:
    """A label's test; what joins two is in parentheses."""
    match found:
        case tree.StringTest():
            return f"{found.label}{found.operator}{quoted(found.value)}"
        case tree.NumberTest():
            return f"{found.label}{found.operator}{found.written or _number(found.value)}"
        case tree.IpTest():
            return f"{found.label}{found.operator}ip({quoted(found.value)})"
        case tree.Both():
            return f"( {test(found.left)} , {test(found.right)} )"
        case tree.Either():
            return f"( {test(found.left)} or {test(found.right)} )"


def quoted(text: str) -> str:
    """A string literal: in backticks where that says it more plainly."""
    if "`" not in text and ("\\" in text or '"' in text):
        return f"`{text}`"
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    return plain(value) if math.isfinite(value) else float_shown(value)


def _expressions(found: tuple[tuple[str, str], ...]) -> str:
    return ",".join(f"{label}={quoted(path)}" for label, path in found)


def _range(query: tree.RangeAggregation) -> str:
    number = f"{_number(query.parameter)}," if query.parameter is not None else ""
    unwrap = f" {_unwrap(query.unwrap)}" if query.unwrap else ""
    return f"{query.operator}({number}{write(query.query)}{unwrap}{_span(query)}){_grouping(query.grouping)}"


def _unwrap(found: tree.Unwrap) -> str:
    label = f"{found.conversion}({found.label})" if found.conversion else found.label
    return " ".join([f"| unwrap {label}", *map(stage, found.filters)])


def _span(query: tree.RangeAggregation) -> str:
    offset = f" offset {write_duration(query.offset)}" if query.offset else ""
    return f"[{write_duration(query.span)}]{offset}"


def _grouping(found: tree.Grouping | None) -> str:
    return f" {'without' if found.without else 'by'} ({','.join(found.labels)})" if found else ""


def _matching(found: tree.Matching | None) -> str:
    if not found:
        return ""
    text = f" {'on' if found.on else 'ignoring'} ({','.join(found.labels)})"
    return f"{text} {found.group} ({','.join(found.include)})" if found.group else text
