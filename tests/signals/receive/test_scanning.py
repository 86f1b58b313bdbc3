"""The pass in C over a request's bytes: it takes what clients send, and comes to what the parser comes to."""

from __future__ import annotations

import importlib
import random
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive import checking, messages, scanning
from pilothouse.signals.receive.otlp import Outcome, Receiver
from tests.signals.receive.conftest import THOROUGH, Door, examples
from tests.signals.receive.otlp_requests import LOGS, METRICS, NOW, TRACES
from tests.signals.receive.wire_forms import broken, reordered, varint

pytestmark = pytest.mark.skipif(not scanning.is_there(), reason="native/otlp_scanning.c was not compiled (no compiler)")
KINDS = {"logs": LOGS, "traces": TRACES, "metrics": METRICS}
_ANY_VALUE = ".opentelemetry.proto.common.v1.AnyValue"
_MINUTE = 60_000_000_000


@dataclass
class _Journal:
    """What would be journaled."""

    taken: list[tuple[Any, ...]] = field(default_factory=list)

    def accept(self, kind: str, payload: bytes, marks: frozenset[str], ahead: bytes) -> Future[None]:
        self.taken.append((_as_the_engine_reads(kind, payload), sorted(marks), ahead))
        written: Future[None] = Future()
        written.set_result(None)
        return written


class _Ways:
    """The same requests by both ways, each with a memory of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        monkeypatch.setattr(checking.time, "time_ns", lambda: NOW + _MINUTE)
        self._journals = _Journal(), _Journal()
        self._receivers = [Receiver(journal) for journal in self._journals]  # type: ignore[arg-type]
        self.scanned = 0

    def agree(self, kind: str, body: bytes) -> None:
        """Both ways answer the same and journal the same."""
        assert self._answers(kind, body, 0) == self._answers(kind, body, 1)

    def _answers(self, kind: str, body: bytes, which: int) -> Any:
        journal, receiver = self._journals[which], self._receivers[which]
        journal.taken.clear()
        with self._patch.context() as patch:
            patch.setattr(scanning, "native", None if which else _Counting(self, scanning.native))
            try:
                outcome: Outcome = receiver.receive(kind, body)
            except BadRequestError as error:
                return str(error)
        return journal.taken, outcome.rejected, outcome.message


class _Counting:
    """The module in C; how many requests went by it is counted."""

    def __init__(self, ways: _Ways, native: ModuleType) -> None:
        self._ways, self.scan_request, self._native = ways, native.scan_request, native

    def with_resources(self, body: bytes, resources: tuple[bytes, ...]) -> bytes:
        self._ways.scanned += 1
        return self._native.with_resources(body, resources)  # type: ignore[no-any-return]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> _Ways:
    return _Ways(monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
@examples(6)
@given(data=st.data())
def test_both_ways_journal_the_same(ways: _Ways, kind: str, data: st.DataObject) -> None:
    request, chosen = data.draw(KINDS[kind]), random.Random(data.draw(st.integers(0, 2**32)))
    if data.draw(st.booleans()):
        _flatten(request)
    body = request.SerializeToString()
    for form in (body, body, reordered(request, chosen), reordered(request, chosen, room=True)):
        ways.agree(kind, form)
    for _ in range(4):
        ways.agree(kind, broken(body, chosen))


@pytest.mark.parametrize("kind", KINDS)
def test_broken_bytes_are_answered_the_same(ways: _Ways, kind: str) -> None:
    request, chosen = _ordinary(kind), random.Random(7)
    body = request.SerializeToString()
    for _ in range(40_000 if THOROUGH else 80):
        ways.agree(kind, broken(chosen.choice([body, reordered(request, chosen)]), chosen))
    assert ways.scanned > 3, "some are still such as clients send"


@pytest.mark.parametrize("kind", KINDS)
def test_each_cut_of_a_request_is_answered_the_same(ways: _Ways, kind: str) -> None:
    body = _ordinary(kind).SerializeToString()
    for end in range(0, len(body), 1 if THOROUGH else 3):
        ways.agree(kind, body[:end])
    assert ways.scanned <= len(body) // 40, "hardly any end is one between two records"


@pytest.mark.parametrize("kind", KINDS)
def test_what_clients_send_goes_the_short_way(ways: _Ways, kind: str) -> None:
    request = _ordinary(kind)
    for body in (request.SerializeToString(), reordered(request, random.Random(1), room=True)):
        ways.scanned = 0
        ways.agree(kind, body)
        assert ways.scanned == 1


_TIME = b"\x09" + (NOW).to_bytes(8, "little")
ODD = {
    "an array as a value": b"\x2a\x04\x2a\x02\x0a\x00",
    "a body twice": b"\x2a\x03\x0a\x01a" * 2,
    "two members of a value": b"\x2a\x04\x10\x01\x18\x02",
    "a member that the engine does not know": b"\x2a\x02\x40\x01",
    "a flag that is two": b"\x2a\x02\x10\x02",
    "a number longer than it need be": b"\x2a\x03\x18\x81\x00",
    "a length longer than it need be": b"\x2a\x04\x0a\x81\x00a",
    "a value before its key": b"\x32\x08\x12\x03\x0a\x01b\x0a\x01a",
    "an empty key": b"\x32\x02\x0a\x00",
    "an unknown field": b"\xf8\x01\x01",
    "our own field": b"\x81\x7d12345678",
    "a known number of another type": b"\x10\x01\x15\x01\x00\x00\x00",
    "a group": b"\x3b\x3c",
    "a number that is no enum's": b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "text that is not UTF-8": b"\x1a\x02\xc3\x28",
    "a surrogate": b"\x1a\x03\xed\xa0\x80",
    "text longer than it need be": b"\x1a\x02\xc0\xaf",
    "text beyond Unicode": b"\x1a\x04\xf4\x90\x80\x80",
    "text that ends too soon": b"\x1a\x03a\xe2\x82",
    "field zero": b"\x00\x01",
    "a varint without end": b"\x10" + b"\xff" * 10 + b"\x01",
    "a length beyond the end": b"\x1a\xff\xff\xff\xff\x0f",
    "a length of ten bytes": b"\x1a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00a",
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_left_to_the_parser(ways: _Ways, odd: str) -> None:
    for record in (_TIME + ODD[odd], ODD[odd] + _TIME):
        ways.agree("logs", _logs(record))
    assert ways.scanned == 0


def test_what_is_no_text_is_found_wherever_it_stands(ways: _Ways) -> None:
    """Bytes are looked at by the word, and by several."""
    for place in range(70):
        before, after = b"a" * place, b"a" * (70 - place)
        for text, good in ((before + "é".encode() + after, 1), (before + b"\xc3" + after, 0)):
            ways.scanned = 0
            ways.agree("logs", _logs(_TIME + b"\x1a" + varint(len(text)) + text))
            assert ways.scanned == good, (place, good)


def test_resources_are_looked_at_once_and_kept_apart(ways: _Ways) -> None:
    first, other = (varint(len(key)) + key for key in (b"\x0a\x03\x0a\x01a", b"\x0a\x03\x0a\x01b"))
    records = b"\x12" + varint(2 + len(_TIME)) + b"\x12" + varint(len(_TIME)) + _TIME
    bodies = [b"\x0a" + varint(len(one)) + one for one in (b"\x0a" + first + records, records + b"\x0a" + other)]
    nested = b"\x0a\x09\x0a\x07\x12\x05\x2a\x03\x0a\x01\x0a"
    ways.agree("logs", bodies[0] + bodies[1] + b"\x0a" + varint(len(records)) + records)
    assert ways.scanned == 1, "a resource after its records, and none at all, too"
    ways.agree("logs", bodies[0] + b"\x0a" + varint(len(nested + records)) + nested + records)


@pytest.mark.parametrize(
    "resource",
    [b"\x0a\x02\x0a", b"\x18\x01", b"\xa8\x46\x01", b"\x0a\x05\x0a\x03\xff\xff\xff", b"\x81\x7d12345678",
     b"\x0a\x0b\x0a\x01k\x12\x06\x2a\x04\x0a\x02\x10\x01"],
)  # fmt: skip
def test_odd_resources(ways: _Ways, resource: bytes) -> None:
    for _ in range(2):
        ways.agree("logs", _logs(_TIME, resource))


def test_more_resources_than_a_pass_holds(ways: _Ways) -> None:
    body = _logs(_TIME, b"")
    ways.agree("logs", body * 4096)
    assert ways.scanned == 1
    ways.agree("logs", body * 4097)
    assert ways.scanned == 1


def test_the_functions_in_c_refuse_what_is_not_theirs() -> None:
    native, body = scanning.native, _logs(_TIME, b"")
    with pytest.raises(ValueError, match="no such kind"):
        native.scan_request("profiles", b"", 0, 0)
    with pytest.raises(ValueError, match="holds fewer"):
        native.with_resources(body, (b"", b""))
    with pytest.raises(ValueError, match="holds more"):
        native.with_resources(body, ())
    with pytest.raises(TypeError):
        native.with_resources(body, ("text",))  # type: ignore[arg-type]


def test_without_the_module_requests_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pilothouse.signals.receive._otlp_scanning", None)
    monkeypatch.delattr("pilothouse.signals.receive._otlp_scanning")
    try:
        importlib.reload(scanning)
        assert not scanning.is_there()
        scanner = scanning.Scanner(checking.Announcements())
        assert scanner.payload("logs", _logs(_TIME, b""), checking.begin(checking.TimeLimits())) is None
    finally:
        monkeypatch.undo()
        importlib.reload(scanning)


@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_reads_fields_in_any_order(door: Door, kind: str) -> None:
    tables = {"logs": ("logs",), "traces": ("spans",), "metrics": ("series", "samples", "distributions", "exemplars")}
    request = _ordinary(kind)
    door.send(kind, request)
    # When a series was last told of is no part of what was sent.
    written = {table: door.rows(_all(table)) for table in tables[kind]}
    assert all(written.values())
    door.renew()
    door.send(kind, reordered(request, random.Random(3), room=True))
    for table, rows in written.items():
        assert repr(door.rows(_all(table))) == repr(rows)


def _all(table: str) -> str:
    return f"SELECT * {'EXCEPT (noted)' if table == 'series' else ''} FROM {table} ORDER BY ALL"


def _logs(record: bytes, resource: bytes = b"\x0a\x03\x0a\x01a") -> bytes:
    scope = b"\x12" + varint(len(record)) + record
    speaker = b"\x0a" + varint(len(resource)) + resource + b"\x12" + varint(len(scope)) + scope
    return b"\x0a" + varint(len(speaker)) + speaker


def _ordinary(kind: str) -> Any:
    """A request with everything in it that goes the short way."""
    attributes = [
        {"key": "text", "value": {"string_value": "käse " * 9}}, {"key": "n", "value": {"int_value": -3}},
        {"key": "flag", "value": {"bool_value": False}}, {"key": "d", "value": {"double_value": -0.5}},
        {"key": "raw", "value": {"bytes_value": b"\xff\x00"}}, {"key": "none", "value": {}}, {"key": "bare"},
    ]  # fmt: skip
    scope = {"name": "lib", "version": "1", "attributes": attributes[:2]}
    nested = {"key": "process.command_args", "value": {"array_value": {"values": [{"string_value": "x"}]}}}
    speakers = [{"attributes": [*attributes, nested]}, {"attributes": attributes[:1]}]
    ids = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    if kind == "logs":
        records = [
            {"time_unix_nano": NOW - 5, "observed_time_unix_nano": NOW, "severity_number": 9, "severity_text": "INFO",
             "body": {"string_value": "x" * 200}, "attributes": attributes, "flags": 1, "event_name": "e", **ids},
            {"observed_time_unix_nano": NOW, "dropped_attributes_count": 7},
        ]  # fmt: skip
        return ExportLogsServiceRequest(
            resource_logs=[
                {"resource": one, "scope_logs": [{"scope": scope, "log_records": records}]} for one in speakers
            ]
        )
    if kind == "traces":
        event = {"time_unix_nano": NOW, "name": "exception", "attributes": attributes}
        span = {
            "start_time_unix_nano": NOW - 9, "end_time_unix_nano": NOW, "name": "GET /", "kind": 2, "flags": 257,
            "parent_span_id": b"p" * 8, "trace_state": "a=b", "attributes": attributes,
            "events": [event, {"name": "e"}],
            "links": [{**ids, "attributes": attributes[:2]}], "status": {"message": "no", "code": 2}, **ids,
        }  # fmt: skip
        root = {"start_time_unix_nano": NOW - 9, "name": "root", "trace_id": b"T" * 16, "span_id": b"S" * 8}
        return ExportTraceServiceRequest(
            resource_spans=[
                {"resource": one, "scope_spans": [{"scope": scope, "spans": [span, root]}]} for one in speakers
            ]
        )
    point = {"time_unix_nano": NOW, "start_time_unix_nano": NOW - 9, "attributes": attributes}
    exemplar = {"time_unix_nano": NOW, "as_double": 2.5, "filtered_attributes": attributes[:2], **ids}
    buckets = {"count": 5, "sum": 4.0, "min": 0.5, "max": 3.0, "bucket_counts": [2, 3], "explicit_bounds": [1.0]}
    sparse = {"count": 6, "scale": -3, "zero_count": 1, "positive": {"offset": -2, "bucket_counts": [1, 300]}}
    sparse |= {"count": 302, "zero_threshold": 0.1}
    metrics = [
        {"name": "g", "unit": "By", "gauge": {"data_points": [{**point, "as_int": -4}]}},
        {"name": "s", "sum": {"data_points": [{**point, "as_double": 1.5, "exemplars": [exemplar]}],
                              "aggregation_temporality": 2, "is_monotonic": True}},
        {"name": "h", "histogram": {"data_points": [{**point, **buckets}], "aggregation_temporality": 2}},
        {"name": "e", "exponential_histogram": {"data_points": [{**point, **sparse}], "aggregation_temporality": 1}},
        {"name": "q", "summary": {"data_points": [{**point, "quantile_values": [{"quantile": 0.5, "value": 2.0}]}]}},
    ]  # fmt: skip
    return ExportMetricsServiceRequest(
        resource_metrics=[
            {"resource": one, "scope_metrics": [{"scope": scope, "metrics": metrics}]} for one in speakers
        ]
    )


def _flatten(message: Any) -> None:
    """Take arrays and maps out of all values."""
    if message.DESCRIPTOR.name == "AnyValue":
        message.ClearField("array_value")
        message.ClearField("kvlist_value")
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type:
            for item in value if descriptor.is_repeated else [value]:
                _flatten(item)


def _as_the_engine_reads(kind: str, payload: bytes) -> bytes:
    """A payload in protobuf's own form, but attribute values (of a metric's points all of an attribute) as they are.

    Explicit zeros, the order of fields and room in lengths are all the same to the engine.
    """
    read = _engine_class(kind).FromString(payload)
    read.DiscardUnknownFields()
    return bytes(read.SerializeToString(deterministic=True))


@cache
def _engine_class(kind: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    for module in messages._FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in messages._with_nested(file.message_type):
            for one in message.field:
                raw = message.name.endswith("DataPoint") and one.type_name.endswith(".KeyValue")
                if one.type_name == _ANY_VALUE or raw:
                    one.ClearField("type_name")
                    one.type = 12
            if message.name == "Resource":
                message.field.add(name="identity", number=messages.IDENTITY, type=6, label=1)
        pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(messages._REQUESTS[kind]))
