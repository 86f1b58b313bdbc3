"""OTLP requests, whatever they came by: parsed, checked, journaled, answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.checking import Announcements, Check, TimeLimits, begin, canonical
from pilothouse.signals.receive.checking_logs import check_logs, look_at_logs
from pilothouse.signals.receive.checking_metrics import check_metrics, look_at_metrics
from pilothouse.signals.receive.checking_traces import check_traces, look_at_traces
from pilothouse.signals.receive.messages import request_class, rewritable
from pilothouse.signals.receive.otlp_json import prepared
from pilothouse.signals.receive.scanning import Scanner

if TYPE_CHECKING:
    from pilothouse.signals.flushing import Intake

KINDS = ("logs", "metrics", "traces")
# For each kind: the check of every request, and the look at what only some hold.
_CHECKS: dict[str, tuple[Callable[[Any, Check, Announcements], None], Callable[[Any, Check, str], None]]] = {
    "logs": (check_logs, look_at_logs),
    "metrics": (check_metrics, look_at_metrics),
    "traces": (check_traces, look_at_traces),
}
# Field numbers of ExportXPartialSuccess: rejected_... = 1, error_message = 2, inside field 1 of the response.
_REJECTED = {"logs": "rejectedLogRecords", "metrics": "rejectedDataPoints", "traces": "rejectedSpans"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer: `written` is done when the request is on disk."""

    kind: str
    written: Future[None]
    rejected: int
    message: str

    def protobuf(self) -> bytes:
        """The ExportXServiceResponse."""
        if not self.message:
            return b""
        text = self.message.encode()
        partial = b"\x08" + _varint(self.rejected) + b"\x12" + _varint(len(text)) + text
        return b"\x0a" + _varint(len(partial)) + partial

    def json(self) -> bytes:
        """The same in OTLP's JSON form."""
        if not self.message:
            return b"{}"
        partial = {_REJECTED[self.kind]: str(self.rejected), "errorMessage": self.message}
        return json.dumps({"partialSuccess": partial}).encode()


class Receiver:
    """Takes OTLP requests into the journal. Methods may be called from any thread."""

    def __init__(self, intake: Intake, limits: TimeLimits = TimeLimits()) -> None:
        self._intake = intake
        self._limits = limits
        self._announcements = Announcements()
        self._scanner = Scanner(self._announcements)
        self.on_request: Callable[[str, int, int], None] = lambda kind, size, rejected: None

    def receive(self, kind: str, body: bytes) -> Outcome:
        """A protobuf body. Raises `BadRequestError` when it does not parse, `OverloadedError` when not now."""
        return self.scanned(kind, body) or self.parsed(kind, body)

    def scanned(self, kind: str, body: bytes | memoryview) -> Outcome | None:
        """The short way for a protobuf body; None when it has to be parsed. `body` is not held on to."""
        check = begin(self._limits)
        payload = self._scanner.payload(kind, body, check)
        return self._journal(kind, payload, check, len(body)) if payload else None

    def parsed(self, kind: str, body: bytes) -> Outcome:
        """The long way, which takes what the short one does not; raises as `receive` does."""
        try:
            request = request_class(kind).FromString(body)
        except DecodeError as error:
            raise BadRequestError(f"{request_class(kind).DESCRIPTOR.name} does not parse: {_said(error)}") from None
        return self._take(kind, request, len(body))

    def receive_json(self, kind: str, body: bytes) -> Outcome:
        """The same for OTLP's JSON form."""
        request = request_class(kind)()
        try:
            json_format.ParseDict(prepared(json.loads(body), request.DESCRIPTOR), request, ignore_unknown_fields=True)
        except (json_format.ParseError, ValueError, RecursionError, TypeError, AttributeError) as error:
            raise BadRequestError(f"{request.DESCRIPTOR.name} does not parse: {_said(error)}") from None
        return self._take(kind, request, len(body))

    def _take(self, kind: str, request: Any, size: int) -> Outcome:
        check = begin(self._limits)
        look_through, look_at = _CHECKS[kind]
        look_through(request, check, self._announcements)
        if not check.met or not request.ListFields():
            # A client's version shows in its first request, and looking costs as much as parsing twice. What comes
            # later all the same is mended when the engine refuses it (`repaired`). In what is unknown altogether
            # nobody speaks who could have been met.
            request.DiscardUnknownFields()
        # What a client sent in this field of ours goes; only the door announces.
        del request.announcements[:]
        try:
            payload = canonical(request, check, look_at)
        except (RecursionError, ValueError) as error:
            raise BadRequestError(f"an attribute value cannot be kept: {_said(error)}") from None
        return self._journal(kind, payload, check, size)

    def _journal(self, kind: str, payload: bytes, check: Check, size: int) -> Outcome:
        try:
            written = self._intake.accept(kind, payload, frozenset(check.marks), self._ahead(kind, check))
        except OverloadedError:
            self._announcements.forget()
            raise
        written.add_done_callback(self._after)
        self.on_request(kind, size, check.rejected)
        return Outcome(kind, written, check.rejected, check.message)

    @staticmethod
    def _ahead(kind: str, check: Check) -> bytes:
        if not check.announced:
            return b""
        told = [announced.SerializeToString() for announced in check.announced]
        return bytes(request_class(kind)(announcements=told).SerializeToString())

    def _after(self, written: Future[None]) -> None:
        if written.exception():
            self._announcements.forget()


def repaired(kind: str, payload: bytes) -> bytes:
    """A journaled request without the fields that the engine cannot read.

    A known number in a wire type that is not its own counts as unknown to protobuf; the engine refuses it.
    """
    request = request_class(kind).FromString(payload)
    values = rewritable(request)
    values.DiscardUnknownFields()
    return bytes(values.SerializePartialToString())


def _said(error: Exception) -> str:
    return str(error).split("\n")[0][:300] or type(error).__name__


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    parts.append(number)
    return bytes(parts)
