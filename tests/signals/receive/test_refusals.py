"""What the door does not take: with a reason that names the field, and nothing else is lost."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.asking import LogQuestion, search
from pilothouse.signals.metrics.asking import MetricQuestion, find_series
from pilothouse.signals.receive.checking import TimeLimits
from pilothouse.signals.selecting import identities
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import TimeRange
from tests.signals.receive.conftest import Door, examples

SECOND, HOUR, DAY = 10**9, 3600 * 10**9, 86400 * 10**9
RESPONSES = {
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}


def now() -> int:
    return time.time_ns()


def resource(name: str = "checkout") -> dict[str, Any]:
    return {"attributes": [KeyValue(key="service.name", value=AnyValue(string_value=name))]}


def log(text: str = "kept", **fields: Any) -> LogRecord:
    return LogRecord(**{"time_unix_nano": now(), "body": AnyValue(string_value=text)} | fields)


def logs(*records: LogRecord, service: str = "checkout") -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest(
        resource_logs=[{"resource": resource(service), "scope_logs": [{"log_records": records}]}]
    )


def span(**fields: Any) -> Span:
    start = fields.get("start_time_unix_nano", now())
    whole = {"trace_id": b"t" * 16, "span_id": b"s" * 8, "name": "op", "start_time_unix_nano": start,
             "end_time_unix_nano": start + 5}  # fmt: skip
    return Span(**whole | fields)


def traces(*spans: Span) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest(resource_spans=[{"resource": resource(), "scope_spans": [{"spans": spans}]}])


def metrics(*found: m.Metric) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest(
        resource_metrics=[{"resource": resource(), "scope_metrics": [{"metrics": found}]}]
    )


def gauge(*points: m.NumberDataPoint, name: str = "up") -> m.Metric:
    return m.Metric(name=name, gauge={"data_points": points})


def number(**fields: Any) -> m.NumberDataPoint:
    return m.NumberDataPoint(**{"time_unix_nano": now(), "as_double": 1.0} | fields)


def histogram(**fields: Any) -> m.Metric:
    whole = {"time_unix_nano": now(), "count": 3, "bucket_counts": [1, 2], "explicit_bounds": [1.0]} | fields
    return m.Metric(name="latency", histogram={"data_points": [m.HistogramDataPoint(**whole)]})


def exponential(**fields: Any) -> m.Metric:
    whole = {"time_unix_nano": now(), "count": 3, "zero_count": 1, "positive": {"bucket_counts": [2]}} | fields
    return m.Metric(name="latency", exponential_histogram={"data_points": [m.ExponentialHistogramDataPoint(**whole)]})


def summary(quantile: float) -> m.Metric:
    point = {"time_unix_nano": now(), "count": 1, "quantile_values": [{"quantile": quantile, "value": 1.0}]}
    return m.Metric(name="latency", summary={"data_points": [point]})


def rejected(door: Door, kind: str, request: Any, count: int = 1) -> str:
    """Send it; assert that both forms of the answer say that so many were rejected; return why."""
    outcome = door.receive(kind, request)
    response, field = RESPONSES[kind]
    in_protobuf = response.FromString(outcome.protobuf())
    assert in_protobuf == json_format.Parse(outcome.json(), response())
    assert getattr(in_protobuf.partial_success, field) == count
    return str(in_protobuf.partial_success.error_message)


FAR_OFF = {
    "long ago": lambda: now() - 31 * DAY,
    "1970": lambda: 1,
    "in the future": lambda: now() + 2 * HOUR,
    "the largest there is": lambda: 2**64 - 1,
}


def kept(door: Door, kind: str, table: str, column: str = "1") -> list[Any]:
    """A column of all rows, once everything that was sent is in the tables."""
    door.settle(kind)
    return [row["found"] for row in door.rows(f"SELECT {column} AS found FROM {table}")]


def test_a_log_record_far_off_is_named_and_the_others_are_kept(door: Door) -> None:
    for when, moment in FAR_OFF.items():
        for field in ("time_unix_nano", "observed_time_unix_nano"):
            wrong = log("far off", **{"time_unix_nano": 0, field: moment()})
            reason = rejected(door, "logs", logs(log("kept"), wrong))
            assert reason.startswith(f"1 x {field} is "), when
    assert kept(door, "logs", "logs", "body") == ["kept"] * 2 * len(FAR_OFF)


def test_a_span_far_off_is_named_and_the_others_are_kept(door: Door) -> None:
    for number_of_case, (when, moment) in enumerate(FAR_OFF.items()):
        good = span(name="kept", span_id=b"span no%d" % number_of_case)
        wrong = span(name="far off", start_time_unix_nano=moment() - 1, end_time_unix_nano=0)
        assert "start_time_unix_nano" in rejected(door, "traces", traces(good, wrong)), when
    assert kept(door, "traces", "spans", "name") == ["kept"] * len(FAR_OFF)


@pytest.mark.parametrize("make", [histogram, exponential, lambda **fields: gauge(number(**fields))])
def test_a_point_far_off_is_named(door: Door, make: Callable[..., m.Metric]) -> None:
    for when, moment in FAR_OFF.items():
        reason = rejected(door, "metrics", metrics(make(time_unix_nano=moment()), gauge(number())))
        assert reason.startswith("1 x time_unix_nano is "), when
    assert len(kept(door, "metrics", "samples")) == len(FAR_OFF)


def test_a_record_without_any_time_is_as_old_as_its_arrival(door: Door) -> None:
    before = now()
    assert door.send("logs", logs(log(time_unix_nano=0), log())).message == ""
    found = door.rows("SELECT toUnixTimestamp64Nano(min(time)) AS first, count() AS n FROM logs")
    assert found[0]["n"] == 2
    assert before <= found[0]["first"] <= now()
    assert "time_unix_nano is not set" in rejected(door, "traces", traces(span(start_time_unix_nano=0)))
    assert "time_unix_nano is not set" in rejected(door, "metrics", metrics(gauge(number(time_unix_nano=0))))


IDS = (b"span one", b"span two")


def test_a_span_that_cannot_be_kept(door: Door) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("trace_id", {"trace_id": b""}),
        ("trace_id", {"trace_id": b"short"}),
        ("trace_id", {"trace_id": bytes(16)}),
        ("trace_id", {"trace_id": b"t" * 17}),
        ("span_id", {"span_id": b""}),
        ("span_id", {"span_id": bytes(8)}),
        ("span_id", {"span_id": b"s" * 9}),
        ("parent_span_id", {"parent_span_id": b"p"}),
        ("links.trace_id", {"links": [{"trace_id": b"x", "span_id": b"s" * 8}]}),
        ("links.span_id", {"links": [{"trace_id": b"x" * 16, "span_id": b""}]}),
        ("end_time_unix_nano", {"end_time_unix_nano": 2**64 - 1}),
    ]
    for number_of_case, (field, fields) in enumerate(cases):
        # What was stored once is not stored again.
        one, other = (span(trace_id=b"trace, number %02d" % number_of_case, span_id=each) for each in IDS)
        reason = rejected(door, "traces", traces(one, span(**fields), span(**fields), other), 2)
        assert reason.startswith("2 x "), fields
        assert field in reason, fields
    assert len(kept(door, "traces", "spans")) == 2 * len(cases)


def test_a_point_that_cannot_be_kept(door: Door) -> None:
    cases: list[tuple[str, Callable[[], m.Metric]]] = [
        ("bucket_counts", lambda: histogram(bucket_counts=[1, 1, 1])),
        ("bucket_counts", lambda: histogram(bucket_counts=[])),
        ("bucket_counts", lambda: histogram(count=4)),
        ("bucket_counts", lambda: histogram(count=0, bucket_counts=[0] * 10_002, explicit_bounds=range(10_001))),
        ("explicit_bounds", lambda: histogram(bucket_counts=[1, 1, 1], explicit_bounds=[2.0, 1.0])),
        ("explicit_bounds", lambda: histogram(bucket_counts=[1, 1, 1], explicit_bounds=[1.0, 1.0])),
        ("explicit_bounds", lambda: histogram(bucket_counts=[1, 1, 1], explicit_bounds=[1.0, float("nan")])),
        ("zero_count", lambda: exponential(zero_count=2)),
        ("bucket_counts", lambda: exponential(negative={"bucket_counts": [1]})),
        ("bucket_counts", lambda: exponential(positive={"bucket_counts": [0] * 10_001}, count=1)),
        ("scale", lambda: exponential(scale=31)),
        ("scale", lambda: exponential(scale=-21)),
        ("quantile", lambda: summary(1.5)),
        ("quantile", lambda: summary(-0.1)),
        ("quantile", lambda: summary(float("nan"))),
        ("metric.name", lambda: gauge(number(), name="")),
        ("no data", lambda: m.Metric(name="nothing")),
    ]
    for number_of_case, (field, make) in enumerate(cases):
        said = rejected(door, "metrics", metrics(make(), gauge(number()), histogram()))
        assert field in said, (number_of_case, field)
    assert len(kept(door, "metrics", "samples")) == len(cases)
    assert len(kept(door, "metrics", "distributions")) == len(cases)


def test_reasons_are_counted_and_the_most_frequent_comes_first(door: Door) -> None:
    far, past = log(time_unix_nano=now() + DAY), log(time_unix_nano=1)
    reason = rejected(door, "logs", logs(past, far, far, log()), 3)
    assert reason == (
        "2 x time_unix_nano is too far in the future; 1 x time_unix_nano is older than the oldest that is kept"
    )


def test_nothing_rejected_is_an_empty_answer(door: Door) -> None:
    outcome = door.send("logs", logs(log()))
    assert (outcome.protobuf(), outcome.json()) == (b"", b"{}")


@pytest.mark.parametrize("kind", RESPONSES)
def test_an_empty_request_is_fine(door: Door, kind: str) -> None:
    assert door.send(kind, b"").protobuf() == b""
    assert door.send(kind, "{}").json() == b"{}"


@pytest.mark.parametrize("kind", RESPONSES)
@examples(30)
@given(body=st.binary(min_size=1, max_size=60))
def test_bytes_are_taken_or_refused_in_words(one_door: Door, kind: str, body: bytes) -> None:
    with contextlib.suppress(BadRequestError):
        one_door.receiver.receive(kind, body).written.result(timeout=60)


@pytest.mark.parametrize("kind", RESPONSES)
def test_of_unknown_fields_alone_nothing_is_kept(door: Door, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine would refuse all that is stored together with them."""
    accept = Mock(wraps=door.intake.accept)
    monkeypatch.setattr(door.intake, "accept", accept)
    door.send(kind, b"\x08\x40")
    assert accept.call_args.args[:2] == (kind, b"")


@pytest.mark.parametrize("kind", RESPONSES)
def test_what_does_not_parse_names_the_message(door: Door, kind: str) -> None:
    for body in (b"\xff", b"\x0a\x05abc", b"plain text", b"\x0a" * 300):
        with pytest.raises(BadRequestError, match=r"Export\w+ServiceRequest does not parse"):
            door.receiver.receive(kind, body)


def test_text_that_is_not_utf8_is_refused(door: Door) -> None:
    body = logs(log("1234567")).SerializeToString().replace(b"1234567", b"\xff234567")
    with pytest.raises(BadRequestError, match="does not parse"):
        door.receiver.receive("logs", body)


def _field(number: int, wire_type: int, payload: bytes) -> bytes:
    key = number << 3 | wire_type
    return bytes([key & 127 | 128, key >> 7]) + payload


UNKNOWN = {
    "a varint where a time stands": _field(11, 0, b"\x05"),
    "a varint where a text stands": _field(3, 0, b"\x09"),
    "a text where a severity stands": _field(2, 2, b"\x03abc"),
    "a varint where attributes stand": _field(6, 0, b"\x09"),
    "a group": _field(100, 3, b"") + _field(100, 4, b""),
    "a group where a text stands": _field(3, 3, b"") + _field(3, 4, b""),
    "a new field": _field(1500, 2, b"\x02hi"),
}


def test_fields_that_nobody_knows_are_left_out(door: Door) -> None:
    """A known number in another wire type is an unknown field too (Protocol Buffers, Unknown Fields): the engine's
    reader would refuse the whole segment for it, and with it everybody else's records. Looked for they are in the
    first request of a resource: each case has one of its own.
    """
    for case, field in UNKNOWN.items():
        body = _with_unknown(field, case) + logs(log(f"beside {case}"), service=case).SerializeToString()
        assert door.receive("logs", body).message == ""
    assert sorted(kept(door, "logs", "logs", "body")) == sorted(
        [*(f"beside {case}" for case in UNKNOWN), *["odd"] * len(UNKNOWN)]
    )


@pytest.mark.parametrize("inner", [_field(15, 2, b"\x08not JSON"), _field(20, 2, b"\x04more"), _field(30, 0, b"\x01")])
def test_a_value_of_a_kind_that_nobody_knows_is_no_value(door: Door, inner: bytes) -> None:
    body = logs(log("1" * 40)).SerializeToString()
    known = AnyValue(string_value="1" * 40).SerializeToString()
    filled = inner + AnyValue(string_value="x" * (len(known) - len(inner) - 2)).SerializeToString()
    assert len(filled) == len(known)
    door.send("logs", body.replace(known, filled))
    [row] = door.rows("SELECT body, body_kind FROM logs")
    assert row["body_kind"] == "s"
    assert set(row["body"]) == {"x"}


def test_what_is_odd_in_a_later_request_takes_nobody_else_with_it(door: Door) -> None:
    """Unknown fields are looked for in a resource's first request only: later ones are mended when the engine refuses
    them, and what it misreads stays readable.
    """
    door.send("logs", logs(log("first")))
    long, known = logs(log("1" * 40)).SerializeToString(), AnyValue(string_value="1" * 40).SerializeToString()
    inner = _field(20, 2, b"\x04\xff\xff\xff\xff")
    value = inner + AnyValue(string_value="x" * (len(known) - len(inner) - 2)).SerializeToString()
    odd = [long.replace(known, value), *(_with_unknown(case) for case in UNKNOWN.values())]
    for number, body in enumerate(odd):
        door.send("logs", body + logs(log(f"beside {number}")).SerializeToString())
    question = LogQuestion(parse_selector('service_name="checkout"'), TimeRange(now() - HOUR, now()))
    bodies = [record["body"] for record in search(door.engine, question)]
    assert {"first", *(f"beside {number}" for number in range(len(odd)))} <= set(bodies)
    assert len(bodies) == 1 + 2 * len(odd)


def _with_unknown(field: bytes, service: str = "checkout") -> bytes:
    """A service's request with one record that ends with this field."""
    record = log("odd").SerializeToString() + field
    scope = b"\x12" + bytes([len(record)]) + record
    who = Resource(**resource(service)).SerializeToString()
    content = b"\x0a" + bytes([len(who)]) + who + b"\x12" + bytes([len(scope)]) + scope
    return b"\x0a" + bytes([len(content)]) + content


def test_a_refused_first_request_does_not_hide_the_next(door: Door) -> None:
    """The engine is told of a resource when it has a record of it, not when its first request comes."""
    rejected(door, "logs", logs(log(time_unix_nano=1), service="late"))
    door.send("logs", logs(log(), service="late"))
    found = identities(door.engine, parse_selector('service_name="late"'), TimeRange(now() - HOUR, now()), "logs")
    assert len(found) == 1


def test_records_that_come_late_are_found_by_their_own_time(door: Door) -> None:
    """A client that was offline sends the newest first: its older records count for when it was seen."""
    door.send("logs", logs(log()))
    door.send("logs", logs(log(time_unix_nano=now() - 5 * HOUR)))
    within = TimeRange(now() - 6 * HOUR, now() - 4 * HOUR)
    assert len(identities(door.engine, parse_selector('service_name="checkout"'), within, "logs")) == 1
    door.send("metrics", metrics(gauge(number())))
    door.send("metrics", metrics(gauge(number(time_unix_nano=now() - 5 * HOUR))))
    question = MetricQuestion(parse_selector('service_name="checkout"'), within)
    assert [row["name"] for row in find_series(door.engine, question)] == ["up"]


def test_the_engine_is_told_of_a_resource_only_now_and_then(door: Door) -> None:
    for _ in range(3):
        door.send("logs", logs(log()))
    assert door.rows("SELECT count() AS n FROM resources FINAL") == [{"n": 1}]
    assert door.rows("SELECT sum(rows) AS n FROM system.parts WHERE table = 'resources' AND active") == [{"n": 1}]


def test_exemplars_of_many_days_are_kept_with_their_point(door: Door) -> None:
    """Storage is by day: a request that names hundreds of them must not hold up all others."""
    exemplars = [{"time_unix_nano": day * DAY, "as_double": 1.0} for day in range(1, 400)]
    assert door.send("metrics", metrics(gauge(number(exemplars=exemplars)))).message == ""
    found = door.rows("SELECT count() AS n, uniq(toDate(time)) AS days FROM exemplars")
    assert found == [{"n": 399, "days": 1}]


def test_records_of_many_days_are_stored_when_the_limits_allow_them(door: Door) -> None:
    door.renew(TimeLimits(past=400 * 86400.0))
    door.send("logs", logs(*(log(time_unix_nano=now() - day * DAY) for day in range(120))))
    assert door.rows("SELECT count() AS n FROM logs") == [{"n": 120}]


def test_an_answer_in_json_is_what_the_specification_shows(door: Door) -> None:
    content = json.loads(door.send("logs", logs(log(time_unix_nano=1))).json())
    assert content["partialSuccess"].keys() == {"rejectedLogRecords", "errorMessage"}
    assert content["partialSuccess"]["rejectedLogRecords"] == "1"
