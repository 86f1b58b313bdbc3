"""Label matchers: one condition on one label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from pilothouse.signals.metrics.promql.numbers import quote

NAME = "__name__"
_LEGACY_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The anchored regular expression of a matcher; `re.error` when it is none.

    RE2 knows a few spellings that Python does not: they are rewritten.
    """
    return re.compile(f"(?s:{_python(pattern)})")


def _python(pattern: str) -> str:
    rewritten = pattern.replace(r"\z", r"\Z").replace("(?P<", "(?P<")
    rewritten = re.sub(r"\(\?<([A-Za-z_])", r"(?P<\1", rewritten)
    for name, inside in (
        ("alpha", "A-Za-z"), ("digit", "0-9"), ("alnum", "0-9A-Za-z"), ("lower", "a-z"), ("upper", "A-Z"),
        ("space", r"\s"), ("word", r"\w"), ("xdigit", "0-9A-Fa-f"), ("punct", r"!-/:-@\[-`{-~"),
    ):  # fmt: skip
        rewritten = rewritten.replace(f"[:{name}:]", inside)
    return rewritten


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label, an operator (`=`, `!=`, `=~`, `!~`) and a value. A label that is not there counts as empty."""

    label: str
    operator: str
    value: str
    _pattern: re.Pattern[str] | None = field(default=None, init=False, repr=False, compare=False)

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
