"""What can be wrong with a TraceQL query."""

from __future__ import annotations

from pilothouse.signals.errors import BadRequestError


class TraceqlError(BadRequestError):
    """The query cannot be answered; the parameter is `q`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "q")


class ParseError(TraceqlError):
    """The text is not TraceQL. The message names the place as Tempo does: `parse error at line 1, col 3: ...`."""

    def __init__(self, reason: str, query: str, place: int) -> None:
        before = query[:place]
        self.line = before.count("\n") + 1
        self.column = place - before.rfind("\n")
        self.reason = reason
        super().__init__(f"parse error at line {self.line}, col {self.column}: {reason}")


class TypeMismatchError(TraceqlError):
    """The query is well formed, and compares or combines what does not fit together."""
