"""Puts the lines of a case into an engine's tables, by the same statements as everything else."""

from __future__ import annotations

import itertools
import os
import tempfile
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from pilothouse.signals.logs import storing
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.receive.otlp import Receiver

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from tests.logqltest.reading import Line

_turns = itertools.count()


class _Taken:
    """Where the door puts what it let in."""

    def __init__(self) -> None:
        self.payload = b""

    def accept(
        self, kind: str, payload: bytes, marks: frozenset[str] = frozenset(), ahead: bytes = b""
    ) -> Future[None]:
        """Keeps it."""
        self.payload, written = ahead + payload, Future[None]()
        written.set_result(None)
        return written


def fill(engine: Engine, lines: list[Line], zero: int) -> None:
    """Exactly these lines, their times counted from `zero`; what was there before is gone."""
    engine.command("TRUNCATE TABLE logs")
    engine.command("TRUNCATE TABLE resources")
    if lines:
        store(engine, request(lines, zero).SerializeToString())


def store(engine: Engine, body: bytes) -> None:
    """Store an OTLP request as the door lets it in."""
    taken: Any = _Taken()
    outcome = Receiver(taken, TimeLimits(past=10 * 365 * 86400)).receive("logs", body)
    assert not outcome.rejected, outcome.message
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(taken.payload)
        for statement in (storing.RESOURCES, storing.RECORDS):
            engine.store_segment(statement, Path(name), f"case-{next(_turns)}-{os.getpid()}")
    finally:
        os.unlink(name)


def request(lines: list[Line], zero: int) -> ExportLogsServiceRequest:
    """The lines as an OTLP request: labels are resource attributes, structured metadata record attributes."""
    made = ExportLogsServiceRequest()
    streams: dict[tuple[tuple[str, str], ...], list[Line]] = {}
    for line in lines:
        streams.setdefault(tuple(sorted(line.stream.items())), []).append(line)
    for stream, members in streams.items():
        resource = made.resource_logs.add()
        for name, value in stream:
            pair = resource.resource.attributes.add(key=name)
            pair.value.string_value = value
        scope = resource.scope_logs.add()
        for line in members:
            record = scope.log_records.add(time_unix_nano=zero + line.time)
            record.body.string_value = line.text
            for name, value in line.metadata.items():
                record.attributes.add(key=name).value.string_value = value
    return made
