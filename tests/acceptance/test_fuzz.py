"""Whatever comes over the ports, nothing answers 500 (INTERNAL, UNKNOWN), and good data that comes later arrives."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import struct
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance import telemetry
from tests.running import RunningServer
from tests.signals.receive.otlp_requests import LOGS, METRICS, TRACES
from tests.signals.receive.test_otlp_json import otlp_json

THOROUGH = os.environ.get("PILOTHOUSE_THOROUGH") == "1"
KINDS = {"logs": LOGS, "traces": TRACES, "metrics": METRICS}
METHODS = {
    "logs": telemetry.LOGS,
    "traces": telemetry.TRACES,
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
JSON = {"content-type": "application/json"}
# OTLP's answers, and those of HTTP to what is too large or in a form that nobody knows.
TAKEN_OR_REFUSED = {200, 400, 413, 415}
GRPC_REFUSALS = {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}


def examples(quick: int) -> settings:
    """Hypothesis' settings: so many examples, a hundred times as many with PILOTHOUSE_THOROUGH=1."""
    return settings(
        max_examples=quick * 100 if THOROUGH else quick, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """Nothing but what is sent here."""
    return new_server


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client of OTLP's own HTTP port."""
    with httpx.Client(base_url=server.otlp, timeout=60) as opened:
        yield opened


@pytest.fixture(autouse=True)
def the_server_goes_on(server: RunningServer) -> Iterator[None]:
    """After each test good data arrives and is stored, and the log tells of no defect."""
    yield
    text = f"after-{uuid.uuid4().hex}"
    answer = httpx.post(f"{server.otlp}/v1/logs", content=telemetry.logs("fuzz", [text]), headers=telemetry.PROTOBUF)
    assert answer.status_code == 200
    server.wait_for("/api/logs", "logs", 1, contains=text)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert '"level": "error"' not in log
    assert not list((server.log.parent / "data" / "journal").glob("aside/*"))


def check(answer: httpx.Response) -> None:
    """An answer in OTLP's terms: taken, or refused with a reason."""
    assert answer.status_code in TAKEN_OR_REFUSED, (answer.status_code, answer.text)
    if answer.status_code != 200:
        assert answer.content, "a refusal says why"


@st.composite
def mutated(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A valid body with some bytes flipped, cut out, doubled or put in."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        match draw(st.integers(0, 3)):
            case 0 if place < len(body):
                body[place] ^= 1 << draw(st.integers(0, 7))
            case 1:
                del body[place : place + draw(st.integers(1, 20))]
            case 2:
                body[place:place] = body[place : place + draw(st.integers(1, 40))]
            case _:
                body[place:place] = draw(st.binary(max_size=12))
    return bytes(body)


@pytest.mark.parametrize("kind", KINDS)
def test_broken_protobuf_over_http(client: httpx.Client, kind: str) -> None:
    @examples(10)
    @given(body=st.binary(max_size=100) | mutated(KINDS[kind].map(lambda request: request.SerializeToString())))
    def send(body: bytes) -> None:
        check(client.post(f"/v1/{kind}", content=body, headers=telemetry.PROTOBUF))

    send()


@pytest.mark.parametrize("kind", KINDS)
def test_broken_protobuf_over_grpc(server: RunningServer, kind: str) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        export = channel.unary_unary(METHODS[kind])

        @examples(15)
        @given(body=st.binary(max_size=100) | mutated(KINDS[kind].map(lambda request: request.SerializeToString())))
        def send(body: bytes) -> None:
            refusal = export.future(body, timeout=60).exception()
            if refusal is not None:
                assert refusal.code().name in GRPC_REFUSALS, refusal
                assert refusal.details()

        send()


@pytest.mark.parametrize("kind", KINDS)
def test_broken_json(client: httpx.Client, kind: str) -> None:
    @examples(12)
    @given(body=mutated(KINDS[kind].map(lambda request: otlp_json(request).encode())))
    def send(body: bytes) -> None:
        check(client.post(f"/v1/{kind}", content=body, headers=JSON))

    send()


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
)


def _swapped(content: Any, draw: Any) -> Any:
    """JSON with a value here and there exchanged for one of another type."""
    if draw(st.integers(0, 9)) == 0:
        return draw(_ANYTHING)
    if isinstance(content, dict):
        return {key: _swapped(value, draw) for key, value in content.items()}
    return [_swapped(item, draw) for item in content] if isinstance(content, list) else content


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_types_in_json(client: httpx.Client, kind: str) -> None:
    @examples(12)
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        request = json.loads(otlp_json(data.draw(KINDS[kind])))
        body = json.dumps(_swapped(request, data.draw))
        check(client.post(f"/v1/{kind}", content=body.encode("utf-8", "surrogatepass"), headers=JSON))

    send()


def test_deep_and_endless_json(client: httpx.Client) -> None:
    for body in (
        b"[" * 1_000_000,
        b'{"resourceLogs":[' * 50_000,
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b"9" * 1_000_000,
    ):
        answer = client.post("/v1/logs", content=body, headers=JSON)
        assert answer.status_code == 400
        assert answer.json()["message"]


@examples(15)
@given(
    body=st.binary(max_size=60) | st.just(gzip.compress(telemetry.logs("fuzz", ["x"]))[:-5]),
    coding=st.sampled_from(["gzip", "deflate", "zstd", "identity", "br", "", "gzip, gzip", "GZIP"])
    | st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=9),
    media=st.sampled_from(
        ["application/x-protobuf", "application/json; charset=utf-16", "text/plain", "", "a/b/c", ";"]
    ),
)
def test_odd_headers_and_codings(client: httpx.Client, body: bytes, coding: str, media: str) -> None:
    headers = {"content-encoding": coding.strip(), "content-type": media}
    check(client.post("/v1/logs", content=body, headers=headers))


def test_more_than_the_limit_is_refused_with_413(server: RunningServer, client: httpx.Client) -> None:
    large = bytes(17_000_000)
    assert client.post("/v1/logs", content=large, headers=telemetry.PROTOBUF).status_code == 413
    packed = telemetry.PROTOBUF | {"content-encoding": "gzip"}
    assert client.post("/v1/logs", content=gzip.compress(large), headers=packed).status_code == 413
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with (
            grpc.insecure_channel(server.grpc, compression=compression) as channel,
            pytest.raises(grpc.RpcError) as caught,
        ):
            channel.unary_unary(telemetry.LOGS)(large, timeout=60)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def _raw(server: RunningServer, sent: bytes, port: str = "otlp") -> bytes:
    """What comes back for these bytes before the server closes or a second is over."""
    parts = urlsplit(server.addresses[port])
    received = b""
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=60) as connection,
        # A server that has heard enough may close before all is sent.
        contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError),
    ):
        connection.sendall(sent)
        connection.settimeout(1)
        while part := connection.recv(65536):
            received += part
            if b"\r\n\r\n" in received:
                break
    return received


_POST = b"POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\0\0\0",
        b"GET\r\n\r\n",
        _POST + b"content-length: 99999999999999999999\r\n\r\n",
        _POST + b"content-length: 9999999999\r\n\r\nabc",
        _POST + b"content-length: -5\r\n\r\n",
        _POST + b"content-length: 100\r\n\r\nonly this",
        _POST + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        _POST + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
        _POST + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_not_http(server: RunningServer, sent: bytes) -> None:
    for port in ("otlp", "http", "grpc"):
        assert b" 500 " not in _raw(server, sent, port)[:20]


def test_grpc_frames_that_lie(server: RunningServer) -> None:
    """A message that says it is compressed and is not, one longer than it says, a method that is not there."""
    with grpc.insecure_channel(server.grpc) as channel:
        for method in ("/opentelemetry.proto.collector.logs.v1.LogsService/Import", "/x/y", "/"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(method)(b"", timeout=60)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(telemetry.LOGS)(struct.pack(">BI", 1, 2**31) + b"x", timeout=60)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


_TIMES = st.sampled_from(
    ["now", "5m", "1700000000", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", "1e9", "99999999999y"]
) | st.sampled_from(["-1", "²", "nan", "9" * 400 + "y", "1600-01-01T00:00:00Z"])
_SELECTORS = st.sampled_from(
    ['service_name="fuzz"', "{", 'a=~"("', 'a=~"(?=b)"', 'a=~"b{99999}"', 'a=~"b{1001}"', 'a=~"[[a]"', 'a="\\']
) | st.sampled_from(['a=~"' + "(" * 3000 + '"', 'a=~"b{99999999999999}"', '"\\\\"="x"', 'x="\0"', "a=~`\\1(b)`"])
_NUMBERS = st.sampled_from(["1", "0", "-1", "10", "1e3", "99999999999999999999", "²", ""])
_TEXTS = st.text(max_size=12)
PARAMETERS: dict[str, st.SearchStrategy[str]] = {
    "selector": _SELECTORS | _TEXTS, "contains": _TEXTS, "severity": st.sampled_from(["error", "WARN"]) | _TEXTS,
    "trace_id": st.sampled_from(["5b8efff798038103d269b633813fc60c", "abc", "0" * 33]) | _TEXTS, "limit": _NUMBERS,
    "start": _TIMES | _TEXTS, "end": _TIMES | _TEXTS, "since": _TIMES | _TEXTS, "count": st.sampled_from(["1", ""]),
    "name": _TEXTS, "step": st.sampled_from(["1s", "1ms", "1y", "9" * 400 + "y", "0s"]) | _TEXTS, "points": _NUMBERS,
    "service": st.just("fuzz") | _TEXTS, "operation": _TEXTS, "min_duration": _TIMES, "max_duration": _TIMES,
    "errors": _NUMBERS, "odd": _TEXTS,
}  # fmt: skip
PATHS = {
    "/api/logs": ("selector", "contains", "severity", "trace_id", "limit", "start", "end", "since", "count"),
    "/api/metrics": ("selector", "name", "step", "limit", "start", "end", "since", "points"),
    "/api/traces": (
        "selector", "service", "operation", "min_duration", "max_duration", "errors", "limit", "start", "end", "since",
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_questions_are_answered_or_refused_in_words(server: RunningServer, path: str) -> None:
    strategies = {name: PARAMETERS[name] for name in (*PATHS[path], "odd")}
    with httpx.Client(base_url=server.http, timeout=60) as api:

        @examples(15)
        @given(data=st.data())
        def ask(data: st.DataObject) -> None:
            names = data.draw(st.lists(st.sampled_from(PATHS[path]), max_size=4, unique=True))
            asked = {name: data.draw(strategies[name]) for name in names}
            answer = api.get(path, params=asked)
            assert answer.status_code in (200, 400, 422), (answer.status_code, asked, answer.text)
            if answer.status_code == 400:
                assert answer.json()["error"]["message"]

        ask()


# What is answered as it comes has no end.
ENDLESS = {"/api/logs/tail"}


def test_every_call_of_the_description(server: RunningServer) -> None:
    """Schemathesis reads /api/openapi.json and tries what it allows, and what it does not."""
    import schemathesis  # takes half a second, and each process collects this file

    schema = schemathesis.openapi.from_url(f"{server.http}/api/openapi.json")
    for found in schema.get_all_operations():
        operation = found.ok()

        @examples(2)
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            if case.path in ENDLESS:
                with httpx.stream("GET", server.http + case.path, params=case.query, timeout=60) as beginning:
                    assert beginning.status_code < 500, (case.path, case.query)
                return
            answer = case.call(timeout=60)
            assert answer.status_code < 500, (case.path, case.query, answer.text)

        call()
