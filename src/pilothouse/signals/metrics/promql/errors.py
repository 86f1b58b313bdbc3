"""What can go wrong with a query.

PromqlError
 +-- ParseError       the text is not a query; `position` says where
 +-- ExecutionError   the query cannot be answered (for instance: many-to-many matching)
 +-- LimitError       it would load more samples than allowed
 +-- TimedOutError    it took longer than allowed
 +-- StoppedError     the one who asked has gone
"""

from __future__ import annotations

from pilothouse.signals.metrics.promql.positions import Position


class PromqlError(Exception):
    """The query was not answered, for the reason that the message gives."""


class ParseError(PromqlError):
    """The text is not PromQL. The message reads as Prometheus' own: `1:5: parse error: ...`."""

    def __init__(self, reason: str, position: Position, query: str) -> None:
        super().__init__(f"{position.said(query)}: parse error: {reason}")
        self.reason, self.position, self.query = reason, position, query


class ExecutionError(PromqlError):
    """The query is well formed and cannot be answered with these samples."""


class LimitError(PromqlError):
    """The query would load more samples than it may."""


class TimedOutError(PromqlError):
    """The query took longer than it may."""


class StoppedError(PromqlError):
    """The query was cancelled."""
