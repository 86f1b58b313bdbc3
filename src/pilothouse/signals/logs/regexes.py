"""RE2 on Python's side, compiled once and kept; the engine's `match` is RE2 as well."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 16 << 20


class RegexError(ValueError):
    """An expression that RE2 does not take."""


@lru_cache(4096)
def compiled(expression: str) -> Any:
    """The compiled expression; raises `RegexError` with RE2's reason."""
    try:
        return re2.compile(expression, _OPTIONS)
    except re2.error as error:
        reason = error.args[0]
        raise RegexError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None


def line_expression(expression: str) -> str:
    """As a line filter means it: the dot also matches a newline (Loki, "Line filter expression")."""
    return f"(?s){expression}"


def label_expression(expression: str) -> str:
    """As a label matcher means it: the whole value must match (Loki, "Log stream selector")."""
    return f"^(?:{expression})$"
