"""OTLP's JSON form: ids in hexadecimal, large numbers as text, enumerations as numbers, unknown fields ignored."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import Future
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.otlp import Receiver
from tests.signals.receive.conftest import Door, examples
from tests.signals.receive.otlp_requests import LOGS, METRICS, TRACES

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
_IDS = {"traceId", "spanId", "parentSpanId"}


def otlp_json(request: Any) -> str:
    """A request in OTLP's JSON form: protobuf's JSON mapping, but for ids and enumerations."""
    content = json_format.MessageToDict(request, use_integers_for_enums=True)
    return json.dumps(_with_hexadecimal_ids(content))


def _with_hexadecimal_ids(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hexadecimal_ids(value)
            for key, value in content.items()
        }
    return [_with_hexadecimal_ids(item) for item in content] if isinstance(content, list) else content


class _Kept:
    """An intake that keeps what it is given, so that many requests can be compared quickly."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def accept(self, kind: str, payload: bytes, marks: frozenset[str] = frozenset(), ahead: bytes = b"") -> Any:
        self.payloads.append(payload)
        written: Future[None] = Future()
        written.set_result(None)
        return written


@pytest.mark.parametrize(("kind", "requests"), [("logs", LOGS), ("traces", TRACES), ("metrics", METRICS)])
def test_both_forms_are_journaled_as_the_same_bytes(kind: str, requests: st.SearchStrategy[Any]) -> None:
    @examples(25)
    @given(request=requests)
    def check(request: Any) -> None:
        kept = _Kept()
        receiver = Receiver(kept)  # type: ignore[arg-type]
        receiver.receive(kind, request.SerializeToString())
        receiver.receive_json(kind, otlp_json(request).encode())
        in_protobuf, in_json = kept.payloads
        assert in_protobuf == in_json

    check()


def _log(**fields: Any) -> str:
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "said"}} | fields
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]})


def test_a_record_as_the_specification_shows_it(door: Door) -> None:
    attributes = [
        {"key": "count", "value": {"intValue": "9223372036854775807"}},
        {"key": "small", "value": {"intValue": 5}},
        {"key": "ratio", "value": {"doubleValue": 0.5}},
        {"key": "odd", "value": {"doubleValue": "NaN"}},
        {"key": "yes", "value": {"boolValue": True}},
        {"key": "raw", "value": {"bytesValue": "AAEC"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": False}}]}}},
    ]
    outcome = door.send("logs", _log(severityNumber=17, traceId=TRACE, spanId=SPAN.upper(), attributes=attributes))
    assert outcome.json() == b"{}"
    [row] = door.rows("SELECT * FROM logs")
    assert (row["severity_number"], row["trace_id"].hex(), row["span_id"].hex()) == (17, TRACE, SPAN)
    assert row["kinds"] == "iiddbxjj"
    assert [text for _, text in row["attributes"]] == [
        "9223372036854775807", "5", "0.5", "nan", "true", "AAEC", '[1,"a"]', '{"k":false}',
    ]  # fmt: skip


def test_names_in_snake_case_are_accepted(door: Door) -> None:
    """Receivers must accept lowerCamelCase only; protobuf's own JSON mapping knows both, and so do we."""
    record = {"time_unix_nano": time.time_ns(), "trace_id": TRACE, "body": {"string_value": "snake"}}
    door.send("logs", json.dumps({"resource_logs": [{"scope_logs": [{"log_records": [record]}]}]}))
    [row] = door.rows("SELECT body, trace_id FROM logs")
    assert (row["body"], row["trace_id"].hex()) == ("snake", TRACE)


@pytest.mark.parametrize(
    "fields",
    [
        {"somethingNew": {"deep": [1, 2, {"x": None}]}},
        {"somethingNew": {"traceId": 5}},
        {"body": {"stringValue": "said", "jsonValue": "not json"}},
        {"severityText": None},
        {"traceId": ""},
        {"traceId": None},
    ],
)
def test_what_nobody_knows_and_what_is_null_is_ignored(door: Door, fields: dict[str, Any]) -> None:
    assert door.send("logs", _log(**fields)).json() == b"{}"
    assert door.rows("SELECT body, body_kind FROM logs") == [{"body": "said", "body_kind": "s"}]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"traceId": "xyz"}, "traceId"),
        ({"traceId": "abc"}, "traceId"),
        ({"traceId": 5}, "traceId"),
        ({"spanId": ["a"]}, "spanId"),
        ({"severityNumber": [9]}, "severityNumber"),
        ({"severityNumber": 1e30}, "severityNumber"),
        ({"timeUnixNano": "-1"}, "timeUnixNano"),
        ({"timeUnixNano": 1.5}, "timeUnixNano"),
        ({"timeUnixNano": True}, "timeUnixNano"),
        ({"timeUnixNano": "1" * 5000}, "timeUnixNano"),
        ({"severityText": 5}, "severityText"),
        ({"severityText": "\ud800"}, "severityText"),
        ({"body": "said"}, "body"),
        ({"body": {"intValue": str(2**63)}}, "intValue"),
        ({"body": {"bytesValue": "*"}}, "bytesValue"),
        ({"body": {"stringValue": "a", "intValue": "1"}}, "body"),
        ({"attributes": {"key": "a"}}, "attributes"),
        ({"attributes": ["a"]}, "attributes"),
        ({"attributes": [None]}, "attributes"),
        ({"attributes": [{"key": "a", "value": ["b"]}]}, "value"),
    ],
)
def test_a_wrong_type_is_refused_and_named(door: Door, fields: dict[str, Any], place: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        door.receiver.receive_json("logs", _log(**fields).encode())
    assert place in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"5", b'"text"', b"{", b"{}}", b"\xff\xfe", b"\x00", b'{"resourceLogs": 5}',
        b'{"resourceLogs": [5]}', b'{"resourceLogs": [[]]}', b'{"resourceLogs": "a"}', b"[" * 100_000,
        b'{"a":' * 100_000, b'{"resourceLogs": [{"resource": ' * 5_000, b"9" * 10_000,
    ],
)  # fmt: skip
def test_what_is_not_a_request_is_refused_in_words(door: Door, body: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        door.receiver.receive_json("logs", body)
    assert str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_value_that_is_nested_too_deeply_is_refused(door: Door) -> None:
    deep: dict[str, Any] = {"stringValue": "down here"}
    for _ in range(60):
        deep = {"arrayValue": {"values": [deep]}}
    with pytest.raises(BadRequestError, match="does not parse"):
        door.receiver.receive_json("logs", _log(body=deep).encode())


def test_a_value_that_is_nested_too_deeply_for_protobuf_is_refused(door: Door) -> None:
    value = _field(1, b"down here")
    for _ in range(120):
        value = _field(5, _field(1, value))
    body = _field(1, _field(2, _field(2, _field(5, value))))
    with pytest.raises(BadRequestError, match="does not parse"):
        door.receiver.receive("logs", body)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    length = len(content)
    prefix = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return bytes([number << 3 | 2]) + prefix + content
