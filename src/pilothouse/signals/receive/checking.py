"""What the door checks in a request, so that nothing that was acknowledged is lost later.

A check goes through a request's lists with C loops (`map`, `attrgetter`, numpy); only when something is wrong in a
list are its records looked at one by one, and those that cannot be kept are taken out and counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from google.protobuf.message import EncodeError

from pilothouse.signals.receive.messages import rewritable
from pilothouse.signals.receive.nesting import rewrite

_ANNOUNCED_FOR = 60_000_000_000
_MOST_RESOURCES = 100_000


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How far from now a record's time may be, in seconds: storage is by day, and retention drops what is older."""

    past: float = 30 * 86400
    future: float = 3600


@dataclass(slots=True)
class Check:
    """One request under check: bounds in nanoseconds, what was taken out and why, what the engine will find.

    `first` and `last` are the bounds of the current resource's records, 0 while it has none.
    """

    earliest: int
    latest: int
    now: int
    reasons: Counter[str] = field(default_factory=Counter)
    marks: set[str] = field(default_factory=set)
    first: int = 0
    last: int = 0

    @property
    def rejected(self) -> int:
        """How many records were taken out."""
        return self.reasons.total()

    @property
    def message(self) -> str:
        """Why, in words, the most frequent reason first; empty when nothing was taken out."""
        return "; ".join(f"{count} x {reason}" for reason, count in self.reasons.most_common(5))

    def times_hold(self, times: Any) -> bool:
        """Whether all times (an array of nanoseconds) are within the bounds; if so they count as the resource's."""
        found = np.asarray(times, np.uint64)
        if not found.size:
            return True
        first, last = int(found.min()), int(found.max())
        if first < self.earliest or last > self.latest:
            return False
        self.first, self.last = min(first, self.first or first), max(last, self.last)
        return True

    def end_resource(self, kind: str, resource: Any, announcements: Announcements) -> None:
        """Mark the request when the engine is to note this resource; a resource without records is not noted."""
        if self.last and announcements.is_due(kind, resource, self.first, self.last):
            self.marks.add("resources")
        self.first = self.last = 0

    def time_fault(self, name: str, nanoseconds: int) -> str:
        """What is wrong with a time, or nothing."""
        if nanoseconds == 0:
            return f"{name} is not set"
        if nanoseconds < self.earliest:
            return f"{name} is older than the oldest that is kept"
        return f"{name} is too far in the future" if nanoseconds > self.latest else ""

    def keep(self, records: Any, fault: Callable[[Any], str]) -> None:
        """Take out of a repeated field the records that have a fault, and count the reasons."""
        kept = []
        for record in records:
            if reason := fault(record):
                self.reasons[reason] += 1
            else:
                kept.append(record)
        if len(kept) < len(records):
            copies = [type(record).FromString(record.SerializePartialToString()) for record in kept]
            del records[:]
            records.extend(copies)


class Announcements:
    """Which resources the engine has been told of, per kind of request, and for what span of time."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, bytes], tuple[int, int]] = {}

    def is_due(self, kind: str, resource: Any, first: int, last: int) -> bool:
        """Whether records from `first` to `last` (nanoseconds) are not covered: before all others, or a minute on."""
        key = (kind, resource.SerializePartialToString())
        begin, end = self._told.get(key, (last + 1, 0))
        if begin <= first and last <= end + _ANNOUNCED_FOR:
            return False
        if len(self._told) >= _MOST_RESOURCES:
            self._told.clear()
        self._told[key] = min(begin, first), max(end, last)
        return True

    def forget(self) -> None:
        """Tell everything again: what was noted may not have been written."""
        self._told.clear()


def begin(limits: TimeLimits) -> Check:
    """A check with bounds around the present."""
    now = time.time_ns()
    return Check(now - int(limits.past * 1e9), now + int(limits.future * 1e9), now)


def canonical(request: Any) -> bytes:
    """The request's bytes in protobuf's canonical form, arrays and maps as JSON."""
    try:
        return bytes(request.SerializeToString())
    except EncodeError:
        copy = rewritable(request)
        rewrite(copy)
        return bytes(copy.SerializeToString())


def column(records: Any, read: Callable[[Any], int]) -> Any:
    """A field of all records as an array, read by a C loop."""
    return np.fromiter(map(read, records), np.uint64, len(records))


of_time = attrgetter("time_unix_nano")
