"""Messages with expressions in them: `runs with ${string(container.limits.cpu)} cores`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pilothouse.hazards.expressions import compile, text

_HOLE = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")


class Template:
    """A text whose `${CEL}` parts are evaluated; raises `ExpressionError` when one cannot be compiled."""

    def __init__(self, source: str) -> None:
        self._source = source
        for found in _HOLE.finditer(source):
            compile(found[1])

    def fill(self, bound: Any) -> str:
        """The text for some values; a number without a fraction is written without one."""
        return _HOLE.sub(lambda found: _tidy(text(compile(found[1]), bound)), self._source)


@lru_cache(maxsize=1024)
def template(source: str) -> Template:
    """The same, kept."""
    return Template(source)


def _tidy(value: str) -> str:
    return value.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", value) else value
