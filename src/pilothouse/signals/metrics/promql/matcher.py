"""Label matchers: one condition on one label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

from pilothouse.signals.metrics.promql.numbers import quote

NAME = "__name__"
_LEGACY_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RegexError(ValueError):
    """The text is no regular expression (RE2)."""


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The regular expression of a matcher, to be used with `fullmatch`: RE2, as in Prometheus, so that no pattern
    takes more than linear time. Raises `RegexError`."""
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not valid"
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise RegexError(f"error parsing regexp: {said.partition(': ')[0]}: `{pattern}`") from None
    except UnicodeEncodeError:
        raise RegexError(f"error parsing regexp: invalid UTF-8: `{pattern!r}`") from None


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label, an operator (`=`, `!=`, `=~`, `!~`) and a value. A label that is not there counts as empty."""

    label: str
    operator: str
    value: str
    _pattern: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            object.__setattr__(self, "_pattern", compiled(self.value))

    def matches(self, text: str) -> bool:
        """Whether a label's value fits."""
        if self._pattern is not None:
            return (self._pattern.fullmatch(text) is not None) == (self.operator == "=~")
        return (text == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        label = self.label if _LEGACY_LABEL.fullmatch(self.label) else quote(self.label)
        return f"{label}{self.operator}{quote(self.value)}"
