"""What a regular expression needs to find: the text it is, or a text that is in everything it matches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.signals.logs.compiling.required import Texts, Told, UnusualError, best, told

_PLAIN = re.compile(r"[^\\.+*?()|\[\]{}^$]")
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
# What has another case outside of ASCII (Unicode simple case folding): the Kelvin sign and the long s, and all that is
# not ASCII itself.
_FOLDS_BEYOND_ASCII = re.compile("[kKsS]|[^\\x00-\\x7f]")


@dataclass(frozen=True, slots=True)
class Needed:
    """Sets of texts: every match contains one of each; `whole`: and what contains one of the only set matches."""

    sets: tuple[Texts, ...]
    ignores_case: bool
    whole: bool


def needed(expression: str) -> Needed | None:
    """What to look for before, or instead of, matching the expression; None when nothing is sure."""
    ignores_case = expression.startswith("(?i)")
    try:
        found = told(expression[4:] if ignores_case else expression)
    except UnusualError:
        return None
    exact = found.exact if not found.edges and "" not in (found.exact or ()) else None
    if exact and not (ignores_case and any(map(_FOLDS_BEYOND_ASCII.search, exact))):
        return Needed((exact,), ignores_case, whole=True)
    if ignores_case:
        found = Told(None, tuple(_of_ascii(one) for one in (found.exact or (), *found.required)))
    sets = best(found)
    return Needed(sets, ignores_case, whole=False) if sets else None


def _of_ascii(texts: Texts) -> Texts:
    """The longest part of each text whose other case is ASCII too."""
    return tuple(max(_FOLDS_BEYOND_ASCII.split(text), key=len) for text in texts)


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
