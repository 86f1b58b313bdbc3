"""Where in a query something stands, and how Prometheus says so (`line:column`, both from 1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """From `start` to just before `end`, in characters of the query."""

    start: int
    end: int

    def said(self, query: str) -> str:
        """`line:column` of the start, or `invalid position` when it lies outside of the query."""
        if not 0 <= self.start <= len(query):
            return "invalid position"
        before = query[: self.start]
        column = self.start - before.rfind("\n")
        return f"{before.count(chr(10)) + 1}:{column}"


NOWHERE = Position(0, 0)
