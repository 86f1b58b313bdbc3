"""The short way through the door: one pass in C over a request's bytes (`native/otlp_scanning.c`), where it suffices.

It suffices for what clients send day in, day out: nothing unknown, nothing nested but in resources, nothing to refuse.
The bytes are journaled as they came, but for the resources, which are given their identities. For everything else, and
where the C was not compiled, a request is parsed: the parser alone decides what is wrong with it, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError, EncodeError

from pilothouse.signals.receive.checking import Announcements, Check
from pilothouse.signals.receive.messages import request_class, rewritable
from pilothouse.signals.receive.nesting import rewrite

if TYPE_CHECKING:
    from pilothouse.signals.receive import _otlp_scanning as native
else:
    try:
        from pilothouse.signals.receive import _otlp_scanning as native
    except ImportError:  # not compiled here, or for another Python
        native = None

# What the bits of a scan's marks say of a request of metrics (see `checking_metrics`).
MARKS = (
    "numbers", "histogram", "exponential_histogram", "summary",
    "gauge exemplars", "sum exemplars", "histogram exemplars", "exponential_histogram exemplars",
)  # fmt: skip
_SPEAKERS = {"logs": "resource_logs", "metrics": "resource_metrics", "traces": "resource_spans"}
_MOST_RESOURCES, _LARGE_RESOURCE = 20_000, 16_384
_LATEST = 2**64 - 1
_IDENTITY = b"\x81\x7d"  # the tag of fixed64 number 2000


def is_there() -> bool:
    """Whether requests can be scanned in this process."""
    return native is not None


@dataclass(frozen=True, slots=True)
class _Speaker:
    """A resource that was met: its `key` in announcements, and how it is journaled but for the identity."""

    key: bytes
    journaled: bytes


class Scanner:
    """Remembers the resources that it has met, by their bytes. May be used from any thread."""

    def __init__(self, announcements: Announcements) -> None:
        self._announcements = announcements
        self._met: dict[tuple[str, bytes], _Speaker | None] = {}

    def payload(self, kind: str, body: bytes | memoryview, check: Check) -> bytes | None:
        """What to journal of a request's `body`; None when it has to be parsed, and then `check` is as it was."""
        if native is None:
            return None
        scanned = native.scan_request(kind, body, max(check.earliest, 0), min(max(check.latest, 0), _LATEST))
        if scanned is None:
            return None
        marks, found = scanned
        speakers = [self._speaker(kind, resource) for resource, _, _ in found]
        resources = []
        for speaker, (_, first, last) in zip(speakers, found, strict=True):
            if speaker is None:
                return None
            resources.append((speaker, first, last))
        identified = tuple(
            speaker.journaled
            + _IDENTITY
            + check.tell(kind, speaker.key, first, last, self._announcements).to_bytes(8, "little")
            for speaker, first, last in resources
        )
        check.marks.update(mark for place, mark in enumerate(MARKS) if marks >> place & 1)
        return native.with_resources(body, identified)

    def _speaker(self, kind: str, resource: bytes) -> _Speaker | None:
        known = (kind, resource)
        try:
            return self._met[known]
        except KeyError:
            pass
        speaker = _met(kind, resource)
        if len(self._met) >= _MOST_RESOURCES:
            self._met.clear()
        if len(resource) <= _LARGE_RESOURCE:
            self._met[known] = speaker
        return speaker


def _met(kind: str, raw: bytes) -> _Speaker | None:
    """A resource as the parser reads it inside a request; None when it cannot, or when it holds what is unknown."""
    request = request_class(kind)()
    try:
        getattr(request, _SPEAKERS[kind]).add().resource.MergeFromString(raw)
        # Inside a request nesting goes less deep.
        request = request_class(kind).FromString(request.SerializePartialToString())
        resource = getattr(request, _SPEAKERS[kind])[0].resource
        resource.identity = 0
        key = bytes(resource.SerializePartialToString())
        resource.DiscardUnknownFields()
        if len(resource.SerializePartialToString()) < len(key):
            return None
        plain = rewritable(resource)
        rewrite(plain)
    except (DecodeError, EncodeError, RecursionError, ValueError):
        return None
    return _Speaker(key, bytes(plain.SerializePartialToString()))
