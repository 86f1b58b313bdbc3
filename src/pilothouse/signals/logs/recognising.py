"""Telling LogQL from a bare selector and from text to search for. Imports nothing: commands ask before they begin."""

from __future__ import annotations

import re

# What can only be LogQL: it begins with a selector, or with a function's parenthesis.
_LOGQL = re.compile(r"\s*(\{|\w+\s*((by|without)\s*)?\()")


def is_logql(text: str) -> bool:
    """Whether a text is meant as LogQL, well written or not."""
    return _LOGQL.match(text) is not None
