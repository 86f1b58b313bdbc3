"""A collector's lines on their way to a server, as OTLP over HTTP: sent until the server has taken them."""

from __future__ import annotations

import gzip
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import structlog
from google.protobuf.message import DecodeError

from pilothouse.signals.collecting.formats import LogLine
from pilothouse.signals.collecting.offsets import Intent
from pilothouse.signals.credentials import certificates, credentials
from pilothouse.signals.receive.log_requests import LogRequest, valid_text

log = structlog.get_logger(__name__)

_LARGEST = 4_000_000
# About what a line takes beside its texts, a text beside its characters, and at most one of these, in bytes.
_LINE, _ATTRIBUTE, _CHARACTER = 32, 8, 4
# A request that was on its way when its collector died is stored, and can be seen, within this many seconds.
_IN_FLIGHT = 3.0
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


class SendingError(Exception):
    """The server refuses what it is sent; the reason is its own."""


@dataclass
class Sender:
    """Sends batches to `server` (its HTTP address); `stopping` ends the trying."""

    server: str
    stopping: Callable[[], bool] = lambda: False
    sent: int = 0
    rejected: int = 0
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=30, headers=credentials(), verify=certificates(self.server))

    def batch(self) -> Batch:
        """A new batch."""
        return Batch(self)

    def deliver(self, body: bytes, lines: int) -> bool:
        """Until it is on the server's disk; False when the collector stops first."""
        packed = gzip.compress(body, 1)
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        attempt = 0
        while True:
            reason = ""
            try:
                response = self._client.post(f"{self.server.rstrip('/')}/otlp/v1/logs", content=packed, headers=headers)
                if response.is_success:
                    self._note(response.content, lines)
                    return True
                reason = _reason(response)
                if response.status_code not in (429, 502, 503, 504):
                    raise SendingError(f"{self.server} answered {response.status_code}: {reason}")
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            if self.stopping():
                return False
            if attempt in (0, 5):
                log.warning("the server does not take lines now, trying again", server=self.server, reason=reason)
            time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def has(self, intent: Intent) -> bool:
        """Whether a batch of an earlier collector came; it is asked until it is sure that it did not."""
        question: dict[str, str | int] = {
            "query": f'{{}} | log_collector_batch="{intent.batch}"',
            "start": str(intent.start / 1e9 - 1), "end": str(intent.end / 1e9 + 1), "limit": 1,
        }  # fmt: skip
        sure = time.monotonic() + _IN_FLIGHT
        while not self.stopping():
            try:
                response = self._client.get(f"{self.server.rstrip('/')}/api/logs/query", params=question)
                if response.is_success and '"log":' in response.text:
                    return True
                if response.is_success and time.monotonic() > sure:
                    return False
            except httpx.HTTPError:
                # A server that is away can still have it: only its answer counts.
                sure = time.monotonic() + _IN_FLIGHT
            time.sleep(0.3)
        return False

    def _note(self, content: bytes, lines: int) -> None:
        self.sent += lines
        if content:
            from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

            partial = ExportLogsServiceResponse.FromString(content).partial_success
            self.rejected += partial.rejected_log_records
            if partial.rejected_log_records:
                log.warning(
                    "the server left lines out", lines=partial.rejected_log_records, reason=partial.error_message
                )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _reason(response: httpx.Response) -> str:
    """What an answer says: a `google.rpc.Status` where protobuf was sent, whose second field is its message."""
    if response.headers.get("content-type", "").startswith("application/x-protobuf"):
        from google.rpc.status_pb2 import Status

        with suppress(DecodeError):
            return str(Status.FromString(response.content).message)[:200]
    return response.text[:200]


class Batch:
    """Lines that go in one request."""

    def __init__(self, sender: Sender) -> None:
        self._sender, self._request, self._size = sender, LogRequest(), 0
        self.name, self.start, self.end = uuid.uuid4().hex, 2**63, 0

    @property
    def is_full(self) -> bool:
        """Whether it should be sent before more is added."""
        return self._size >= _LARGEST

    def add(self, resource: Mapping[str, str], line: LogLine, now: int = 0) -> None:
        """One line of a speaker; `now` is its time when it says none."""
        text, time_ = valid_text(line.text), line.time or now
        said = (text, *line.attributes, *line.attributes.values())
        mark = {} if self._request.lines else {"log.collector.batch": self.name}
        self._request.stream(resource).add(time_, text, {**line.attributes, **mark})
        self.start, self.end = min(self.start, time_), max(self.end, time_)
        self._size += _LINE + sum(len(one) * (1 if one.isascii() else _CHARACTER) + _ATTRIBUTE for one in said)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._request.lines

    def send(self) -> bool:
        """Deliver; True when it is on disk or there was nothing."""
        return not self._request.lines or self._sender.deliver(self._request.body(), self._request.lines)
