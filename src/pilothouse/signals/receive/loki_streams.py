"""Loki's pushes into the journal: what is checked of them, and what the engine is told of their streams.

What is looked at for each line runs in C (`map`, `min`); labels are read once for each distinct text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.logs.levels import LEVELS, level_number
from pilothouse.signals.receive.checking import Announcements, Check, TimeLimits, begin
from pilothouse.signals.receive.log_requests import attribute_of
from pilothouse.signals.receive.loki_messages import Push
from pilothouse.signals.receive.messages import resource_class
from pilothouse.signals.receive.otlp import Outcome

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pilothouse.signals.flushing import Intake

KIND = "loki"
_SECOND = 1_000_000_000
_seconds = attrgetter("timestamp.seconds")


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Who a stream's labels name (the bytes of an OTLP Resource), and the severity that they say."""

    resource: bytes
    severity: int


class LokiReceiver:
    """Takes pushes in protobuf into the journal. May be used from any thread."""

    def __init__(self, intake: Intake, limits: TimeLimits = TimeLimits()) -> None:
        self._intake, self._limits = intake, limits
        self._announcements = Announcements()
        self.on_request: Callable[[str, int, int], None] = lambda kind, size, rejected: None

    def receive(self, body: bytes) -> Outcome | None:
        """A push, decompressed; None when it holds no lines.

        Raises `BadRequestError` when it does not parse, `OverloadedError` when not now.
        """
        try:
            push = Push.FromString(body)
        except DecodeError:
            raise BadRequestError("the push request does not parse as protobuf") from None
        # What a client sent in this field of ours goes; only the door announces.
        del push.announcements[:]
        check = begin(self._limits)
        for place, stream in enumerate(push.streams):
            self._look_at(stream, f"streams[{place}]", check)
        if not any(map(len, map(attrgetter("entries"), push.streams))) and not check.rejected:
            return None
        ahead = Push(announcements=[one.SerializeToString() for one in check.announced]).SerializeToString()
        try:
            written = self._intake.accept(KIND, push.SerializeToString(), frozenset(check.marks), ahead)
        except OverloadedError:
            self._announcements.forget()
            raise
        written.add_done_callback(self._after)
        self.on_request(KIND, len(body), check.rejected)
        return Outcome(KIND, written, check.rejected, check.message)

    def _look_at(self, stream: Any, where: str, check: Check) -> None:
        try:
            speaker = _speaker(stream.labels)
        except BadRequestError as error:
            raise BadRequestError(f"{where}: {error}") from None
        if stream.entries and not _hold(stream.entries, check):
            _settle(stream.entries, check)
        stream.severity = speaker.severity
        resource = resource_class().FromString(speaker.resource)
        stream.identity = check.end_resource("logs", resource, self._announcements)

    def _after(self, written: Future[None]) -> None:
        if written.exception():
            self._announcements.forget()


def repaired(payload: bytes) -> bytes:
    """A journaled push without the fields that the engine cannot read."""
    push = Push.FromString(payload)
    push.DiscardUnknownFields()
    return bytes(push.SerializeToString())


@lru_cache(10_000)
def _speaker(labels: str) -> _Speaker:
    """Who the labels of a stream name; raises `BadRequestError`."""
    # With the first push: the parser would cost every start of a server.
    from pilothouse.signals.logs.logql import parse_matchers

    matchers = parse_matchers(labels)
    if any(matcher.operator != "=" for matcher in matchers):
        raise BadRequestError(f"{labels!r} is not a set of labels")
    attributes = {attribute_of(matcher.label): matcher.value for matcher in matchers}
    resource = resource_class()()
    for name, value in sorted(attributes.items()):
        pair = resource.attributes.add()
        pair.key, pair.value.string_value = name, value
    severity = next((level_number(attributes[name]) for name in LEVELS if name in attributes), 0)
    return _Speaker(resource.SerializeToString(), severity)


def _hold(entries: Any, check: Check) -> bool:
    """Whether all times are within the bounds, by whole seconds."""
    seconds = list(map(_seconds, entries))
    return check.times_hold((min(seconds) * _SECOND, (max(seconds) + 1) * _SECOND - 1))


def _settle(entries: Any, check: Check) -> None:
    """Give a time to the lines that have none, take out those whose time is out of bounds."""
    for entry in entries:
        if not entry.timestamp.seconds and not entry.timestamp.nanos:
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(time.time_ns(), _SECOND)
    check.keep(entries, lambda entry: check.time_fault("timestamp", _nanoseconds(entry)))
    check.times_hold(list(map(_nanoseconds, entries)))


def _nanoseconds(entry: Any) -> int:
    nanos: int = min(max(entry.timestamp.nanos, 0), _SECOND - 1)
    return int(entry.timestamp.seconds) * _SECOND + nanos
