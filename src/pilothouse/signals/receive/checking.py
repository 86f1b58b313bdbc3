"""What the door checks in a request, so that nothing that was acknowledged is lost later.

A check goes through a request's lists with C loops (`map`, `attrgetter`, `min`); only when something is wrong in a
list are its records looked at one by one, and those that cannot be kept are taken out and counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from google.protobuf.message import EncodeError

from pilothouse.signals.announcing import announcement
from pilothouse.signals.receive.messages import NESTED, resource_class, rewritable
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

    `first` and `last` are the bounds of the current resource's records, 0 while it has none; `announced` holds what the
    engine is to be told of the resources; `met` is whether all of them were met before.
    """

    earliest: int
    latest: int
    now: int
    reasons: Counter[str] = field(default_factory=Counter)
    marks: set[str] = field(default_factory=set)
    first: int = 0
    last: int = 0
    announced: list[Any] = field(default_factory=list)
    met: bool = True

    @property
    def rejected(self) -> int:
        """How many records were taken out."""
        return self.reasons.total()

    @property
    def message(self) -> str:
        """Why, in words, the most frequent reason first; empty when nothing was taken out."""
        if not self.reasons:
            return ""
        return "; ".join(f"{count} x {reason}" for reason, count in self.reasons.most_common(5))

    def times_hold(self, times: Sequence[int]) -> bool:
        """Whether all times (nanoseconds) are within the bounds; if so they count as the resource's."""
        if not times:
            return True
        first, last = min(times), max(times)
        if first < self.earliest or last > self.latest:
            return False
        self.first, self.last = min(first, self.first or first), max(last, self.last)
        return True

    def end_resource(self, kind: str, resource: Any, announcements: Announcements) -> int:
        """Give the resource its identity, which is returned, and announce it when the engine is to note it.

        A resource without records is not noted, and has none.
        """
        identity = 0
        if self.last:
            # What a client sent in this field of ours is no part of what the resource is known by.
            resource.identity = 0
            key = resource.SerializePartialToString()
            resource.identity = identity = self.tell(kind, key, self.first, self.last, announcements)
        self.first = self.last = 0
        return identity

    def tell(self, kind: str, key: bytes, first: int, last: int, announcements: Announcements) -> int:
        """Announce a resource (its bytes without an identity) when the engine is to note it; returns its identity."""
        told = announcements.note(kind, key, first, last)
        self.met = self.met and told.before
        if told.due:
            self.marks.add("resources")
            self.announced.append(told.due)
        return told.identity

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


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a resource: its identity, whether it was met before, and the announcement when one is due."""

    identity: int
    before: bool
    due: Any = None


class Announcements:
    """Which resources the engine has been told of, per kind of request, and for what span of time."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, bytes], tuple[int, int, int]] = {}

    def note(self, kind: str, resource: bytes, first: int, last: int) -> Told:
        """What is known of the resource of records from `first` to `last` (nanoseconds).

        `resource` is it as protobuf writes it. An announcement is due when they are before all others, or a minute on.
        """
        key = (kind, resource)
        before = self._told.get(key)
        begin, end, identity = before or (last + 1, 0, 0)
        if begin <= first and last <= end + _ANNOUNCED_FOR:
            return Told(identity, before=True)
        due = announcement(resource_class().FromString(resource), first, last)
        if len(self._told) >= _MOST_RESOURCES:
            self._told.clear()
        self._told[key] = min(begin, first), max(end, last), due.identity
        return Told(due.identity, before is not None, due)

    def forget(self) -> None:
        """Tell everything again: what was noted may not have been written."""
        self._told.clear()


def begin(limits: TimeLimits) -> Check:
    """A check with bounds around the present."""
    now = time.time_ns()
    return Check(now - int(limits.past * 1e9), now + int(limits.future * 1e9), now)


def canonical(request: Any, check: Check, look: Callable[[Any, Check, str], None]) -> bytes:
    """The request's bytes in protobuf's canonical form, arrays and maps as JSON.

    `look` is called only when the request holds marked messages (see `messages`), with the words that name them.
    """
    try:
        return bytes(request.SerializeToString())
    except EncodeError as error:
        found = str(error)
    look(request, check, found)
    if NESTED in found:
        request = rewritable(request)
        rewrite(request)
    return bytes(request.SerializePartialToString())


of_time = attrgetter("time_unix_nano")
