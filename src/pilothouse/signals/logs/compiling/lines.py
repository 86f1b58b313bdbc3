"""Line filters as SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.signals.logs.compiling.literals import literal_of, required_literal
from pilothouse.signals.logs.linepatterns import LinePattern, parse_pattern
from pilothouse.signals.logs.regexes import line_expression

if TYPE_CHECKING:
    from pilothouse.signals.logs.compiling.scope import Scope
    from pilothouse.signals.logs.logql import tree

# Characters whose other case is outside of ASCII (Unicode simple case folding): the Kelvin sign and the long s.
_FOLDS_BEYOND_ASCII = re.compile("[kKsS]")


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
    """RE2's search, or the plain search that means the same and is several times as fast."""
    text, ignores_case = literal_of(expression)
    matched = f"match({scope.line}, {scope.bind(line_expression(expression))})"
    if text and not ignores_case:
        return f"position({scope.line}, {scope.bind(text)}) > 0"
    if text and text.isascii():
        plain = f"positionCaseInsensitive({scope.line}, {scope.bind(text)}) > 0"
        if not _FOLDS_BEYOND_ASCII.search(text):
            return plain
        return f"({plain} OR (multiSearchAny({scope.line}, ['\u212a', '\u017f']) AND {matched}))"
    needed = required_literal(expression)
    if needed:
        return f"(position({scope.line}, {scope.bind(needed)}) > 0 AND {matched})"
    return matched


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
