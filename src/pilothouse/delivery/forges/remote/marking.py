"""A comment of ours that has a key carries it where no forge shows it: in an HTML comment at its end."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_MARK = re.compile(r"\n*<!-- pilothouse:(\S*) -->\s*$")


def marked(body: str, key: str) -> str:
    """The body with its key."""
    return f"{body}\n\n<!-- pilothouse:{quote(key, safe='')} -->" if key else body


def key_of(body: str) -> str:
    """The key of a body; empty when it has none."""
    found = _MARK.search(body)
    return unquote(found[1]) if found else ""


def unmarked(body: str) -> str:
    """What people see of a body."""
    return _MARK.sub("", body)
