"""Other protocols' lines as one OTLP log request, so that all go through the same door."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pilothouse.signals.logs.levels import LEVELS, level_number
from pilothouse.signals.receive.messages import request_class

if TYPE_CHECKING:
    from pilothouse.signals.receive.otlp import Outcome, Receiver

# OpenTelemetry's resource attributes whose names survive the way through a Loki or Prometheus label.
_RESOURCE = (
    "service.name", "service.namespace", "service.version", "service.instance.id", "deployment.environment",
    "deployment.environment.name", "host.name", "host.id", "host.arch", "os.type", "container.name", "container.id",
    "container.image.name", "cloud.provider", "cloud.region", "cloud.availability_zone", "cloud.platform",
    "cloud.account.id", "k8s.cluster.name", "k8s.namespace.name", "k8s.node.name", "k8s.pod.name", "k8s.pod.uid",
    "k8s.container.name", "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.job.name",
    "k8s.cronjob.name", "k8s.replicaset.name", "process.pid", "process.command", "telemetry.sdk.language",
    "telemetry.sdk.name", "telemetry.sdk.version",
)  # fmt: skip
ATTRIBUTE_OF = {name.replace(".", "_"): name for name in _RESOURCE}


def attribute_of(label: str) -> str:
    """The resource attribute that a label means: OpenTelemetry's name where there is one, else the label itself."""
    return ATTRIBUTE_OF.get(label, label)


class LogRequest:
    """An OTLP log request being put together: lines by their streams."""

    def __init__(self) -> None:
        self._request: Any = request_class("logs")()
        self._streams: dict[tuple[tuple[str, str], ...], tuple[Any, int]] = {}
        self.lines = 0

    def stream(self, attributes: Mapping[str, str]) -> Stream:
        """Where the lines of one speaker go."""
        key = tuple(sorted(attributes.items()))
        if key not in self._streams:
            made = self._request.resource_logs.add()
            for name, value in key:
                pair = made.resource.attributes.add()
                pair.key, pair.value.string_value = name, value
            level = next((level_number(attributes[name]) for name in LEVELS if name in attributes), 0)
            self._streams[key] = made.scope_logs.add().log_records, level
        return Stream(self, *self._streams[key])

    def body(self) -> bytes:
        """The request's bytes."""
        return bytes(self._request.SerializeToString())

    async def send(self, receiver: Receiver) -> Outcome | None:
        """Through the door and onto the disk; nothing to send is nothing to do."""
        if not self.lines:
            return None
        outcome = await asyncio.to_thread(receiver.receive, "logs", self.body())
        await asyncio.wrap_future(outcome.written)
        return outcome


class Stream:
    """Takes the lines of one speaker."""

    __slots__ = ("_level", "_records", "_request")

    def __init__(self, request: LogRequest, records: Any, level: int) -> None:
        self._request, self._records, self._level = request, records, level

    def add(
        self, time: int, line: str, attributes: Mapping[str, str], severity: int = 0, severity_text: str = ""
    ) -> None:
        """One line; `time` in nanoseconds (0: now)."""
        record = self._records.add()
        record.body.string_value = line
        if time:
            record.time_unix_nano = time
        self._request.lines += 1
        level = severity or self._level
        for name, value in attributes.items():
            if name == "trace_id" and _is_hex(value, 32):
                record.trace_id = bytes.fromhex(value)
            elif name == "span_id" and _is_hex(value, 16):
                record.span_id = bytes.fromhex(value)
            else:
                pair = record.attributes.add()
                pair.key, pair.value.string_value = name, value
                if not level and name in LEVELS:
                    level = level_number(value)
        if level:
            record.severity_number = level
        if severity_text:
            record.severity_text = severity_text


def valid_text(text: str) -> str:
    """Text that protobuf takes: half a surrogate pair becomes a replacement character."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(digit in "0123456789abcdef" for digit in text) and text.strip("0") != ""
