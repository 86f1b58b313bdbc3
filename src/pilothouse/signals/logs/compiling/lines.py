"""Line filters as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilothouse.signals.logs.compiling.literals import needed
from pilothouse.signals.logs.compiling.scanning import scannable
from pilothouse.signals.logs.linepatterns import LinePattern, parse_pattern
from pilothouse.signals.logs.regexes import line_expression

if TYPE_CHECKING:
    from pilothouse.signals.logs.compiling.scope import Scope
    from pilothouse.signals.logs.logql import tree


def line_filter(scope: Scope, stage: tree.LineFilter) -> str | None:
    """The condition of a filter; None when SQL cannot say it."""
    if any(needle.ip for needle in stage.needles):
        return None
    texts = [needle.text for needle in stage.needles]
    match stage.operator:
        case "|=" | "!=":
            found = _contains_any(scope, texts)
        case "|~" | "!~":
            found = " OR ".join(_matches(scope, text) for text in texts)
        case _:
            found = " OR ".join(_has_form(scope, parse_pattern(text, captures=False)) for text in texts)
    return f"NOT ({found})" if stage.operator.startswith("!") else f"({found})"


def _contains_any(scope: Scope, texts: list[str]) -> str:
    if "" in texts:
        return "1"
    if 1 < len(texts) < 256:
        return f"multiSearchAny({scope.line}, {scope.bind(texts, 'Array(String)')})"
    return " OR ".join(f"position({scope.line}, {scope.bind(text)}) > 0" for text in texts)


def _matches(scope: Scope, expression: str) -> str:
    """RE2's search, the plain search that means the same, or a faster one before it."""
    matched = f"match({scope.line}, {scope.bind(line_expression(expression))})"
    found = needed(expression)
    if not found and scannable(expression):
        scanned = f"multiMatchAny({scope.line}, {scope.bind([expression], 'Array(String)')})"
        return scanned if scannable(expression, exactly=True) else f"({scanned} AND {matched})"
    if not found:
        return matched
    plain = " AND ".join(_has_one(scope, texts, found.ignores_case) for texts in found.sets)
    return plain if found.whole else f"({plain} AND {matched})"


def _has_one(scope: Scope, texts: Sequence[str], ignores_case: bool) -> str:
    ignoring = "CaseInsensitive" if ignores_case else ""
    if len(texts) > 1:
        return f"multiSearchAny{ignoring}({scope.line}, {scope.bind(list(texts), 'Array(String)')})"
    return f"position{ignoring}({scope.line}, {scope.bind(texts[0])}) > 0"


def _has_form(scope: Scope, pattern: LinePattern) -> str:
    """The same walk as `LinePattern.test`, each literal's place named."""
    place, conditions = "1", [f"notEmpty({scope.line})"]
    for number, (text, is_capture) in enumerate(pattern.parts):
        if is_capture:
            continue
        found = scope.alias(f"position({scope.line}, {scope.bind(text)}, toUInt64({place}))")
        conditions.append(f"{found} > {place}" if number else f"{found} > 0")
        place = f"({found} + {len(text.encode())})"
    rest = f"{place} {'<=' if pattern.parts[-1][1] else '>'} length({scope.line})"
    return "(" + " AND ".join([*conditions, rest]) + ")"
