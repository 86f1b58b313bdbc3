"""What a regular expression needs to find: the text it is, or a text that is in everything it matches."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[^\\.+*?()|\[\]{}^$]")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_SHORTEST = 3
_MOST = 100
# What has another case outside of ASCII (Unicode simple case folding): the Kelvin sign and the long s, and all that is
# not ASCII itself.
_FOLDS_BEYOND_ASCII = re.compile("[kKsS]|[^\\x00-\\x7f]")


@dataclass(frozen=True, slots=True)
class Needed:
    """Texts of which every match contains one; `whole`: and what contains one of them matches."""

    texts: tuple[str, ...]
    ignores_case: bool
    whole: bool


def needed(expression: str) -> Needed | None:
    """What to look for before, or instead of, matching the expression; None when nothing is sure."""
    ignores_case = expression.startswith("(?i)")
    rest = expression[4:] if ignores_case else expression
    texts, whole = [], True
    for one in _alternatives(rest):
        text, _ = literal_of(one)
        whole = whole and bool(text)
        if not text:
            text = required_literal(one)
        if ignores_case:
            piece = max(_FOLDS_BEYOND_ASCII.split(text), key=len)
            whole, text = whole and piece == text, piece
        if not text or (not whole and len(text) < _SHORTEST):
            return None
        texts.append(text)
    return Needed(tuple(texts), ignores_case, whole) if len(texts) <= _MOST else None


def _alternatives(expression: str) -> list[str]:
    """The alternatives of an expression that is nothing but plain ones, with or without one group around them."""
    inner = re.fullmatch(r"\((?:\?:|\?P<\w+>)?([^()\[\]\\]*)\)", expression)
    text = inner[1] if inner else expression
    return text.split("|") if not re.search(r"[()\[\]\\]", text) else [expression]


def literal_of(expression: str) -> tuple[str, bool]:
    """The text that the expression is nothing but, and whether its case does not matter; or an empty text."""
    ignores_case = expression.startswith("(?i)")
    text, rest = "", expression[4 if ignores_case else 0 :]
    while rest:
        if found := _PLAIN.match(rest):
            text += found[0]
        elif found := _ESCAPED.match(rest):
            text += found[1]
        else:
            return "", False
        rest = rest[found.end() :]
    return text, ignores_case


def required_literal(expression: str) -> str:
    """The longest text outside of groups, classes and alternatives that every match has; empty when none is sure.

    Read character by character, giving up at anything unusual: a wrong answer here would lose lines.
    """
    if "(?" in expression.replace("(?:", "").replace("(?P<", ""):
        return ""
    runs, run, place, depth = [], "", 0, 0
    while place < len(expression):
        piece, text, place, depth = _piece(expression, place, depth)
        if piece == "unknown" or (depth == 0 and expression[place - 1] == "|" and piece == "operator"):
            return ""
        quantified = expression[place : place + 1]
        if quantified in ("*", "?", "{"):
            text = ""
        if text and depth == 0:
            run += text
            if quantified == "+":
                runs.append(run)
                run = ""
        else:
            runs.append(run)
            run = ""
    longest = max([*runs, run], key=len)
    return longest if len(longest) >= _SHORTEST else ""


def _piece(expression: str, place: int, depth: int) -> tuple[str, str, int, int]:
    """The next atom or operator: its kind, its text if it is plain, and what follows."""
    rest = expression[place:]
    if found := _PLAIN.match(rest):
        return "text", found[0], place + 1, depth
    if found := _ESCAPED.match(rest):
        return "text", found[1], place + 2, depth
    if rest.startswith("\\") and len(rest) > 1:
        return ("class", "", place + 2, depth) if rest[1] in "dwsDWSbB" else ("unknown", "", place, depth)
    if rest.startswith("["):
        found_class = re.match(r"\[\^?\]?(?:[^\]\\\[]|\\.)*\]", rest)
        return ("class", "", place + found_class.end(), depth) if found_class else ("unknown", "", place, depth)
    if rest.startswith("{"):
        found_count = re.match(r"\{\d+(?:,\d*)?\}", rest)
        return ("count", "", place + found_count.end(), depth) if found_count else ("unknown", "", place, depth)
    if rest[0] in "()":
        opening = re.match(r"\((?:\?:|\?P<\w+>)?", rest)
        return ("group", "", place + (opening.end() if opening else 1), depth + (1 if opening else -1))
    return "operator", "", place + 1, depth
