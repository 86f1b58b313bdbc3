"""Trace and span ids of a run, and the `TRACEPARENT` that its steps get (W3C Trace Context)."""

from __future__ import annotations

import re
import secrets

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def new_trace() -> str:
    """A trace id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_span() -> str:
    """A span id: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def parent(trace: str, span: str) -> str:
    """The header or variable that makes `span` the parent of what follows."""
    return f"00-{trace}-{span}-01"


def read(text: str) -> tuple[str, str] | None:
    """Trace and span of a `traceparent`."""
    found = _PARENT.fullmatch(text.strip())
    return (found[1], found[2]) if found and found[1].strip("0") else None
