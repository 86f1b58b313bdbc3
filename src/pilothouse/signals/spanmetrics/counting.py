"""Counts of operations since the process began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MOST_OPERATIONS = 5_000
OTHER = "(other operations)"
"""The name under which operations are counted together when there are too many."""

Operation = tuple[int, str, int, int]
"""Identity, span name, kind, status code."""


@dataclass(frozen=True, slots=True)
class Example:
    """A span of a bucket: ids, duration in nanoseconds, start in Unix nanoseconds."""

    trace_id: bytes
    span_id: bytes
    duration: int
    time: int


@dataclass(slots=True)
class Counts:
    """What is known of an operation: `buckets` has calls by the lower edge in nanoseconds, `took` is a sum of
    nanoseconds, `examples` are of the last round, `round` is when it was last called, `fresh` whether it was counted
    for the first time then.
    """

    calls: int = 0
    took: int = 0
    round: int = 0
    fresh: bool = True
    buckets: dict[int, int] = field(default_factory=dict)
    examples: dict[int, Example] = field(default_factory=dict)


class Counting:
    """The operations of all services. At most `MOST_OPERATIONS`; the rest counts as `OTHER` of its identity."""

    def __init__(self) -> None:
        self._operations: dict[Operation, Counts] = {}
        self._round = 0

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Count a round of rows of `span_calls`."""
        self._round += 1
        for counts in self._operations.values():
            counts.examples.clear()
            counts.fresh = False
        for row in rows:
            counts = self._of((row["identity"], row["name"], row["kind"], row["status_code"]))
            lower = row["lower"]
            counts.calls += row["calls"]
            counts.took += row["took"]
            counts.round = self._round
            counts.buckets[lower] = counts.buckets.get(lower, 0) + row["calls"]
            counts.examples[lower] = Example(
                row["example_trace"], row["example_span"], row["example_duration"], row["example_at"]
            )

    def recent(self, rounds: int) -> list[tuple[Operation, Counts]]:
        """The operations that were called within so many rounds. Those that were not are forgotten."""
        old = [key for key, counts in self._operations.items() if counts.round <= self._round - rounds]
        for key in old:
            del self._operations[key]
        return list(self._operations.items())

    def _of(self, key: Operation) -> Counts:
        if key not in self._operations and len(self._operations) >= MOST_OPERATIONS:
            key = (key[0], OTHER, key[2], key[3])
        return self._operations.setdefault(key, Counts())
