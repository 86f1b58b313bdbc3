"""Regular expressions as all meshes can be brought to read them: RE2, with anchors that are written out.

The specification anchors a path's expression at the start only, a header's not at all, and names no dialect. Here both
are RE2 (the engine of Envoy, Istio and Consul); a path matches from its start, a header's value as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_LONGEST = 1024


class RegexError(ValueError):
    """The expression cannot be used; the message says why."""


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The RE2 program; raises `RegexError` for what RE2 does not take, such as look-ahead."""
    if len(pattern) > _LONGEST:
        raise RegexError(f"is longer than {_LONGEST} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8_000_000
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise RegexError(f"is not RE2: {said.decode() if isinstance(said, bytes) else said}") from None


def path_matches(pattern: str, path: str) -> bool:
    """Whether a path matches from its start; an empty pattern matches all."""
    return not pattern or bool(compiled(pattern).match(path))


def value_matches(pattern: str, value: str) -> bool:
    """Whether a header's whole value matches."""
    return bool(compiled(pattern).fullmatch(value))


def whole_path(pattern: str) -> str:
    """The expression that matches whole paths where `pattern` matches their start: what all meshes read alike."""
    if pattern.endswith("$") and not pattern.endswith("\\$") and "|" not in pattern:
        return f"^{pattern.removeprefix('^')}"
    if pattern.endswith(".*") and not pattern.endswith("\\.*") and "|" not in pattern:
        return f"^{pattern.removeprefix('^')}$"
    return f"^(?:{pattern}).*$"
