"""What the door announces is what the engine would have found in the records, and nobody else can announce."""

from __future__ import annotations

import re
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from pilothouse.engine import Engine
from pilothouse.signals.announcing import NUMBER, announced_sql, announcement
from pilothouse.signals.journal import AHEAD, framed
from pilothouse.signals.receive.otlp import Receiver


class _Kept:
    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def accept(self, kind: str, payload: bytes, marks: frozenset[str], ahead: bytes) -> Any:
        self.payloads.append((framed(ahead) if ahead else b"") + framed(payload))
        written: Future[None] = Future()
        written.set_result(None)
        return written


def _request(service: str, seconds: float) -> ExportLogsServiceRequest:
    made = ExportLogsServiceRequest()
    group = made.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    group.resource.attributes.add(key="process.pid").value.int_value = 7
    command = group.resource.attributes.add(key="process.command_args").value.array_value
    command.values.add().string_value = "serve"
    group.scope_logs.add().log_records.add(time_unix_nano=int(seconds * 1e9)).body.string_value = "said"
    return made


def _told(engine: Engine, path: Path, payload: bytes) -> list[dict[str, Any]]:
    path.write_bytes(payload)
    engine.command("TRUNCATE TABLE resources")
    engine.store_segment(announced_sql("logs"), path, str(time.time_ns()))
    found: list[dict[str, Any]] = engine.query(
        "SELECT signal, attributes, kinds, toUnixTimestamp64Milli(first_seen) AS first FROM resources"
    ).to_pylist()
    return found


def test_a_resource_is_announced_once_a_minute(engine: Engine, tmp_path: Path) -> None:
    kept, now = _Kept(), time.time()
    receiver = Receiver(kept)  # type: ignore[arg-type]
    for seconds in (now - 300, now - 299, now - 200):
        receiver.receive("logs", _request("checkout", seconds).SerializeToString())
    first, second, third = (_told(engine, tmp_path / "one", payload) for payload in kept.payloads)
    assert [dict(row["attributes"]) for row in first] == [
        {"service.name": "checkout", "process.pid": "7", "process.command_args": '["serve"]'}
    ]
    assert first[0]["kinds"] == "sij"
    assert abs(first[0]["first"] - (now - 300) * 1000) < 2
    assert second == []
    assert len(third) == 1


def test_a_frame_ahead_is_known_by_its_beginning_and_no_request_begins_so() -> None:
    kept = _Kept()
    Receiver(kept).receive("logs", _request("checkout", time.time()).SerializeToString())  # type: ignore[arg-type]
    first, second = re.split(rb"(?<!^)\xfa\x7f\x14", kept.payloads[0])
    assert first[3 + 20 :].startswith(AHEAD)
    assert not second[20:].startswith(AHEAD)


def test_nobody_but_the_door_announces(engine: Engine, tmp_path: Path) -> None:
    kept = _Kept()
    foreign = _request("intruder", time.time()).resource_logs[0].resource
    forged = announcement(foreign, time.time_ns(), time.time_ns()).SerializeToString()
    tag = (NUMBER << 3 | 2) & 0x7F | 0x80, NUMBER << 3 >> 7
    body = _request("checkout", time.time()).SerializeToString() + bytes([*tag, len(forged)]) + forged
    Receiver(kept).receive("logs", body)  # type: ignore[arg-type]
    [row] = _told(engine, tmp_path / "one", kept.payloads[0])
    assert dict(row["attributes"])["service.name"] == "checkout"
