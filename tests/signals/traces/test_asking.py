"""Questions about traces: by service, operation, duration and error; and one trace whole."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from pilothouse.engine import Engine
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, to_rfc3339
from pilothouse.signals.traces.asking import TraceQuestion, search, trace
from tests.signals.receive.conftest import Door

MILLISECOND = 1_000_000
BASE = time.time_ns() - 3600 * NANOSECONDS
ALL = TimeRange(BASE - NANOSECONDS, BASE + 1800 * NANOSECONDS)


def _span(number: int, name: str, begin: int, length: int, parent: int = 0, **fields: object) -> Span:
    """A span of trace `number` that begins and lasts so many milliseconds; its id is where it begins, plus one."""
    start = BASE + number * 60 * NANOSECONDS + begin * MILLISECOND + 1
    return Span(
        trace_id=number.to_bytes(16, "big"), span_id=(begin + 1).to_bytes(8, "big"), name=name,
        parent_span_id=parent.to_bytes(8, "big") if parent else b"", kind=2, start_time_unix_nano=start,
        end_time_unix_nano=start + length * MILLISECOND, **fields,
    )  # fmt: skip


def _of(service: str, spans: list[Span]) -> dict[str, object]:
    attributes = [KeyValue(key="service.name", value=AnyValue(string_value=service))]
    return {"resource": {"attributes": attributes}, "scope_spans": [{"scope": {"name": "lib"}, "spans": spans}]}


@pytest.fixture(scope="module")
def door(files_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Ten traces from a front to a back, a minute apart, each ten milliseconds longer than the one before."""
    opened = Door(tmp_path_factory.mktemp("traces"), files_engine)
    front = [_span(number, "GET /", 0, 20 + 10 * number) for number in range(1, 11)]
    back = [_span(number, "SELECT", 5, 10 * number, parent=1) for number in range(1, 11)]
    back[3].status.code, back[3].status.message = 2, "deadlock"
    opened.send("traces", ExportTraceServiceRequest(resource_spans=[_of("front", front), _of("back", back)]))
    yield opened
    opened.close()


def _numbers(door: Door, selector: str = "", within: TimeRange = ALL, **fields: object) -> list[int]:
    question = TraceQuestion(parse_selector(selector), within, **fields)  # type: ignore[arg-type]
    return [int(found["trace_id"], 16) for found in search(door.engine, question)]


def test_the_newest_come_first_and_no_more_than_asked_for(door: Door) -> None:
    assert _numbers(door) == list(range(10, 0, -1))
    assert _numbers(door, limit=3) == [10, 9, 8]


def test_a_summary_counts_all_spans_of_the_trace_not_only_those_that_fit(door: Door) -> None:
    question = TraceQuestion(parse_selector('service_name="back"'), ALL, errors=True)
    assert search(door.engine, question) == [
        {
            "trace_id": f"{4:032x}",
            "start": to_rfc3339(BASE + 240 * NANOSECONDS + 1),
            "duration_ms": 60.0,
            "root": "GET /",
            "service": "front",
            "services": ["back", "front"],
            "spans": 2,
            "errors": 1,
        }
    ]


@pytest.mark.parametrize(
    ("selector", "fields", "numbers"),
    [
        ('service_name="front"', {"least_duration": 100 * MILLISECOND}, [10, 9, 8]),
        ('service_name="back"', {"least_duration": 100 * MILLISECOND}, [10]),
        ('service_name="back"', {"most_duration": 20 * MILLISECOND}, [2, 1]),
        ("", {"operation": "SELECT", "least_duration": 90 * MILLISECOND}, [10, 9]),
        ("", {"operation": "select"}, []),
        ('service_name="front"', {"errors": True}, []),
        ('service_name="nobody"', {}, []),
    ],
)
def test_one_span_must_fit_all_that_is_asked(
    door: Door, selector: str, fields: dict[str, object], numbers: list[int]
) -> None:
    assert _numbers(door, selector, **fields) == numbers


def test_the_range_is_of_the_span_that_fits(door: Door) -> None:
    minute = 60 * NANOSECONDS
    assert _numbers(door, within=TimeRange(BASE + 3 * minute, BASE + 5 * minute)) == [4, 3]


def test_one_trace_whole(door: Door) -> None:
    found = trace(door.engine, f"{4:032x}")
    assert found["trace_id"] == f"{4:032x}"
    front, back = found["spans"]
    assert (front["name"], front["kind"], front["parent_span_id"], front["status"]) == ("GET /", "SERVER", "", "UNSET")
    assert front["start"] == to_rfc3339(BASE + 240 * NANOSECONDS + 1)
    assert (back["parent_span_id"], back["duration_ms"]) == (front["span_id"], 40.0)
    assert (back["status"], back["status_message"]) == ("ERROR", "deadlock")
    assert (back["resource"], back["scope"]) == ({"service.name": "back"}, "lib")


def test_a_trace_that_is_not_there(door: Door) -> None:
    with pytest.raises(NotFoundError, match="no span of trace"):
        trace(door.engine, "f" * 32)


def test_numbers_that_nobody_named_yet_are_answered_as_numbers(door: Door) -> None:
    odd = _span(77, "odd", 0, 1, status={"code": 2}, events=[{"name": "e", "time_unix_nano": 2**63 - 1}])
    odd.kind = 9  # type: ignore[assignment]
    door.send("traces", ExportTraceServiceRequest(resource_spans=[_of("odd", [odd])]))
    [span] = trace(door.engine, f"{77:032x}")["spans"]
    assert (span["kind"], span["status"]) == ("9", "ERROR")
    assert span["events"][0]["time"].startswith("2262-04-11T")
