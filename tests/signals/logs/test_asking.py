"""Questions about log records: by label, time, text, severity and trace; the newest first."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from pilothouse.engine import Engine
from pilothouse.signals.logs.asking import LogQuestion, count, search, severity_name, severity_number
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, to_rfc3339
from tests.signals.receive.conftest import Door

BASE = time.time_ns() // NANOSECONDS * NANOSECONDS - 7200 * NANOSECONDS
HOUR = 3600 * NANOSECONDS
ALL = TimeRange(BASE, BASE + 2 * HOUR)
TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")


def _resource(service: str, **labels: str) -> dict[str, list[KeyValue]]:
    pairs = {"service.name": service} | labels
    return {"attributes": [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in pairs.items()]}


def _record(second: int, text: str, severity: int = 9, **fields: object) -> LogRecord:
    return LogRecord(
        time_unix_nano=BASE + second * NANOSECONDS,
        severity_number=severity,
        body=AnyValue(string_value=text),
        **fields,
    )


@pytest.fixture(scope="module")
def door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Two services over two hours: one speaks every minute, the other twice."""
    opened = Door(tmp_path_factory.mktemp("logs"), files_engine)
    steady = [_record(60 * minute, f"request {minute} done", 5 + minute % 4 * 4) for minute in range(120)]
    attributes = [KeyValue(key="user", value=AnyValue(int_value=7))]
    rare = [
        _record(10, "Ünïcode 100% 'quoted' \\ back\nslash", 17, trace_id=TRACE, attributes=attributes),
        _record(7000, "late one", 24, severity_text="PANIC"),
    ]
    opened.send(
        "logs",
        ExportLogsServiceRequest(
            resource_logs=[
                {"resource": _resource("steady", env="prod"), "scope_logs": [{"log_records": steady}]},
                {
                    "resource": _resource("rare", env="test"),
                    "scope_logs": [{"scope": {"name": "s"}, "log_records": rare}],
                },
            ]
        ),
    )
    yield opened
    opened.close()


def _bodies(door: Door, selector: str = "", within: TimeRange = ALL, limit: int = 1000, **fields: object) -> list[str]:
    question = LogQuestion(parse_selector(selector), within, limit=limit, **fields)  # type: ignore[arg-type]
    found = [record["body"] for record in search(door.engine, question)]
    if len(found) < limit:
        assert count(door.engine, question) == len(found)
    return found


def test_the_newest_come_first_and_no_more_than_asked_for(door: Door) -> None:
    wanted = [f"request {minute} done" for minute in range(119, -1, -1)]
    assert _bodies(door, 'service_name="steady"') == wanted
    for limit in (1, 5, 6, 119):
        assert _bodies(door, 'service_name="steady"', limit=limit) == wanted[:limit]


def test_all_that_a_record_has_is_answered(door: Door) -> None:
    [record] = search(door.engine, LogQuestion(parse_selector('env="test"'), ALL, contains=("quoted",)))
    assert record == {
        "time": to_rfc3339(BASE + 10 * NANOSECONDS),
        "severity": "ERROR",
        "severity_number": 17,
        "body": "Ünïcode 100% 'quoted' \\ back\nslash",
        "event_name": "",
        "attributes": {"user": 7},
        "resource": {"service.name": "rare", "env": "test"},
        "scope": "s",
        "trace_id": TRACE.hex(),
        "span_id": "",
    }


@pytest.mark.parametrize(
    ("selector", "number"),
    [
        ("", 122),
        ('service_name="rare"', 2),
        ('service.name=~"rare|steady"', 122),
        ('env!="prod"', 2),
        ('env="prod", service_name="rare"', 0),
        ('nothing="here"', 0),
    ],
)
def test_labels(door: Door, selector: str, number: int) -> None:
    assert len(_bodies(door, selector)) == number


def test_a_range_begins_with_its_start_and_ends_before_its_end(door: Door) -> None:
    minute = 60 * NANOSECONDS
    within = TimeRange(BASE + 10 * minute, BASE + 12 * minute)
    assert _bodies(door, 'service_name="steady"', within) == ["request 11 done", "request 10 done"]
    assert _bodies(door, 'service_name="steady"', TimeRange(BASE + 1, BASE + minute)) == []


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (("request",), 120),
        (("request 11",), 11),
        (("request", "7 d"), 12),
        (("Request",), 0),
        (("100%",), 1),
        (("' OR 1=1 --",), 0),
        (("\\ back\n",), 1),
        (("Ünïcode",), 1),
        (("%", "_"), 0),
    ],
)
def test_texts_are_found_as_they_are_written(door: Door, texts: tuple[str, ...], number: int) -> None:
    assert len(_bodies(door, contains=texts)) == number


@pytest.mark.parametrize(("least", "number"), [(0, 122), (5, 122), (9, 92), (13, 62), (17, 32), (21, 1), (24, 1)])
def test_severity_is_a_least_one(door: Door, least: int, number: int) -> None:
    assert len(_bodies(door, severity=least)) == number


def test_the_source_s_own_word_for_a_severity_is_kept(door: Door) -> None:
    [record] = search(door.engine, LogQuestion(parse_selector(""), ALL, severity=21))
    assert (record["severity"], record["severity_number"]) == ("PANIC", 24)


def test_a_trace_s_records(door: Door) -> None:
    assert len(_bodies(door, trace_id=TRACE.hex())) == 1
    assert _bodies(door, trace_id="0" * 31 + "1") == []


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, ""), (1, "TRACE"), (4, "TRACE"), (5, "DEBUG"), (9, "INFO"), (12, "INFO"), (13, "WARN"), (17, "ERROR"),
     (21, "FATAL"), (24, "FATAL"), (200, "FATAL")],
)  # fmt: skip
def test_names_of_severities(number: int, name: str) -> None:
    assert severity_name(number) == name
    if number in (1, 5, 9, 13, 17, 21):
        assert severity_number(name) == severity_number(name.lower()) == number


def test_no_such_severity() -> None:
    assert severity_number("loud") is None
