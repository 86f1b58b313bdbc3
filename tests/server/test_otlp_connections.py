"""OTLP's own port by raw sockets: what is taken at once, what uvicorn is left, and that cuts change nothing."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.server.access.admission import Admitted, RefusedError
from pilothouse.server.access.callers import ANYBODY, DEFAULT_TENANT
from pilothouse.server.otlp_connections import Door, OtlpPort
from pilothouse.server.process import _Server
from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.otlp import Outcome
from tests.thorough import part_of

LIMIT = 2_000_000
PROTOBUF = "content-type: application/x-protobuf"
_IDLE_SECONDS = 1


class Receiver:
    """Stands where the door is: `taken` is what came to it, `says` what it makes of a body."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, str]] = []
        self.says: Callable[[bytes], Outcome] = lambda body: outcome()
        self.scans = True

    def scanned(self, kind: str, body: bytes | memoryview) -> Outcome | None:
        return self._take(kind, bytes(body), "scanned") if self.scans else None

    def parsed(self, kind: str, body: bytes) -> Outcome:
        return self._take(kind, body, "parsed")

    def receive(self, kind: str, body: bytes) -> Outcome:
        return self._take(kind, body, "received")

    def _take(self, kind: str, body: bytes, way: str) -> Outcome:
        self.taken.append((kind, body, way))
        return self.says(body)


class Access:
    """Stands for the decision who may: whoever's token is `good`, which is not known at once."""

    def __init__(self) -> None:
        self.open = True
        self.known: set[str] = set()
        self.paid = 0
        self.limiter = SimpleNamespace(pay=lambda limits, size: setattr(self, "paid", self.paid + size))

    def at_once(self, headers: Any) -> bool:
        return headers.get("authorization") in self.known

    def admit(self, headers: Any, wanted: str) -> Admitted:
        self.known.add(headers.get("authorization"))
        if headers.get("authorization") != "Bearer good":
            raise RefusedError(401, "unauthorized", "no")
        return Admitted(ANYBODY, DEFAULT_TENANT, (("somebody", None),))  # type: ignore[arg-type]


class Port:
    """The port, with an app that says how much of a body it was left."""

    def __init__(self) -> None:
        self.receiver, self.access = Receiver(), Access()
        port = OtlpPort({DEFAULT_TENANT: Door(self.receiver, LIMIT)}, self.access)  # type: ignore[dict-item, arg-type]
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        config = uvicorn.Config(
            self._app, http=port.protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=5,  # type: ignore[arg-type]
            timeout_keep_alive=_IDLE_SECONDS,
        )  # fmt: skip
        self.server = _Server(config)
        self._thread = threading.Thread(target=lambda: uvloop.run(self.server.serve(sockets=[self._socket])))
        self._thread.start()

    @staticmethod
    async def _app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        said = f"left {scope['method']} {scope['path']} {len(body)}".encode()
        headers = [(b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": 299, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def connected(self) -> Client:
        return Client(socket.create_connection(self.address, timeout=60))

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()


class Client:
    """A connection that sends what it is told and reads one answer after another."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._read = connection, b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *caught: object) -> None:
        self._connection.close()

    def send(self, *pieces: bytes) -> None:
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            self._connection.sendall(piece)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(self._read) < int(headers["content-length"]):
            self._more()
        size = int(headers["content-length"])
        body, self._read = self._read[:size], self._read[size:]
        return int(first.split()[1]), headers, body

    def is_closed(self) -> bool:
        return self._connection.recv(1) == b""

    def _more(self) -> None:
        part = self._connection.recv(65536)
        assert part, "the connection was closed"
        self._read += part


def outcome(message: str = "", failure: Exception | None = None) -> Outcome:
    written: Future[None] = Future()
    if failure:
        written.set_exception(failure)
    else:
        written.set_result(None)
    return Outcome("logs", written, 1 if message else 0, message)


def raising(error: Exception) -> Callable[[bytes], Outcome]:
    def say(body: bytes) -> Outcome:
        raise error

    return say


def request(body: bytes, *headers: str, kind: str = "logs", line: str = "") -> bytes:
    first = line or f"POST /v1/{kind} HTTP/1.1"
    head = [first, "host: here", *(headers or (PROTOBUF,)), f"content-length: {len(body)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + body


@pytest.fixture(scope="module")
def running() -> Iterator[Port]:
    port = Port()
    yield port
    port.close()


@pytest.fixture
def port(running: Port) -> Port:
    running.receiver.__init__()  # type: ignore[misc]
    running.access.__init__()  # type: ignore[misc]
    return running


@settings(max_examples=part_of(60), deadline=None)
@given(
    bodies=st.lists(st.sampled_from([0, 1, 100, 65_300, 65_536, 300_000, 700_000]), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 800_000), max_size=6),
    packed=st.booleans(),
)
def test_bodies_arrive_as_they_were_sent_however_they_are_cut(
    running: Port, bodies: list[int], cuts: list[int], packed: bool
) -> None:
    running.receiver.taken.clear()
    sent = [bytes([65 + number]) * size for number, size in enumerate(bodies)]
    more = (PROTOBUF, "Content-Encoding: gzip") if packed else ()
    stream = b"".join(request(gzip.compress(body, 0) if packed else body, *more) for body in sent)
    places = sorted({0, *(cut % len(stream) for cut in cuts), len(stream)})
    with running.connected() as client:
        # All of it before the first answer: the next request waits for its turn.
        sending = threading.Thread(target=client.send, args=[stream[a:b] for a, b in pairwise(places)])
        sending.start()
        answers = [client.answer() for _ in sent]
        sending.join()
    assert [(status, body) for status, _, body in answers] == [(200, b"")] * len(sent)
    assert [(kind, body) for kind, body, _ in running.receiver.taken] == [("logs", body) for body in sent]


@pytest.mark.parametrize("kind", ["logs", "metrics", "traces"])
def test_a_plain_request_is_answered_as_uvicorn_would(port: Port, kind: str) -> None:
    with port.connected() as client:
        client.send(request(b"abc", "Content-Type: Application/X-Protobuf; v=1", "Connection: keep-alive", kind=kind))
        status, headers, body = client.answer()
    assert (status, body) == (200, b"")
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["date"].endswith("GMT")
    assert port.receiver.taken == [(kind, b"abc", "scanned")]


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (request(b"", line="GET /v1/logs HTTP/1.1"), "GET /v1/logs 0"),
        (request(b"ab", line="POST /v1/profiles HTTP/1.1"), "POST /v1/profiles 2"),
        (request(b"ab", line="POST /v1/logs?a=1 HTTP/1.1"), "POST /v1/logs 2"),
        (request(b"{}", "content-type: application/json"), "POST /v1/logs 2"),
        (request(b"ab", PROTOBUF, "content-encoding: br"), "POST /v1/logs 2"),
        (request(b"ab", PROTOBUF, "te: trailers"), "POST /v1/logs 2"),
        (request(bytes(LIMIT + 1)), f"POST /v1/logs {LIMIT + 1}"),
        (
            f"POST /v1/logs HTTP/1.1\r\n{PROTOBUF}\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".encode(),
            "POST /v1/logs 3",
        ),
    ],
)
def test_what_is_odd_is_left_to_the_app_with_all_that_follows(port: Port, sent: bytes, left: str) -> None:
    with port.connected() as client:
        client.send(request(b"before"))
        assert client.answer()[0] == 200
        client.send(sent)
        assert client.answer()[::2] == (299, f"left {left}".encode())
        client.send(request(b"after"))
        assert client.answer()[::2] == (299, b"left POST /v1/logs 5")
    assert [body for _, body, _ in port.receiver.taken] == [b"before"]


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v1/logs HTTP/1.1\r\nbad name: x\r\ncontent-length: 0\r\n\r\n",
        request(b"ab", PROTOBUF, "content-length: 3"),
        f"POST /v1/logs HTTP/1.1\r\n{PROTOBUF}\r\ncontent-length: -1\r\n\r\n".encode(),
        f"POST /v1/logs HTTP/1.1\r\n{PROTOBUF}\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".encode(),
        b"\x16\x03\x01 not HTTP at all \r\n\r\n",
        b"POST /v1/logs HTTP/1.1\r\nx: a\x00b\r\ncontent-length: 0\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_taken_by_nobody(port: Port, sent: bytes) -> None:
    with port.connected() as client:
        client.send(sent)
        assert client.answer()[0] == 400
    assert port.receiver.taken == []


def test_a_head_that_never_ends_is_left_to_uvicorn(port: Port) -> None:
    with port.connected() as client:
        client.send(
            b"POST /v1/logs HTTP/1.1\r\n", *[b"x: " + b"y" * 8000 + b"\r\n"] * 8, b"content-length: 2\r\n\r\nab"
        )
        assert client.answer()[2] == b"left POST /v1/logs 2"


@pytest.mark.parametrize(("size", "way"), [(255_000, "parsed"), (257_000, "parsed"), (1_500_000, "received")])
def test_what_has_to_be_parsed_holds_up_nobody(port: Port, size: int, way: str) -> None:
    port.receiver.scans = size > 1_000_000
    with port.connected() as client:
        client.send(request(bytes(size)))
        assert client.answer()[0] == 200
    assert port.receiver.taken == [("logs", bytes(size), way)]


@pytest.mark.parametrize(
    ("says", "status", "words"),
    [
        (raising(BadRequestError("LogRecord does not parse")), 400, b"LogRecord does not parse"),
        (raising(OverloadedError("too much waits", retry_after=7)), 503, b"too much waits"),
        (lambda body: outcome(failure=OverloadedError("disk full", retry_after=7)), 503, b"disk full"),
        (lambda body: outcome("1 x time is not set"), 200, b"1 x time is not set"),
    ],
)
def test_what_the_door_says_is_answered_and_the_connection_stays(
    port: Port, says: Callable[[bytes], Outcome], status: int, words: bytes
) -> None:
    port.receiver.says = says
    with port.connected() as client:
        for size in (10, 1_500_000):
            client.send(request(bytes(size)))
            answered, headers, body = client.answer()
            assert (answered, headers.get("retry-after")) == (status, "7" if status == 503 else None)
            assert words in body


def test_a_broken_body_is_refused(port: Port) -> None:
    with port.connected() as client:
        for encoding, body, status in (("gzip", b"nothing", 400), ("gzip", gzip.compress(bytes(LIMIT + 1)), 413)):
            client.send(request(body, PROTOBUF, f"content-encoding: {encoding}"))
            assert client.answer()[0] == status


def test_a_defect_is_a_500_that_ends_the_connection(port: Port) -> None:
    port.receiver.says = raising(ZeroDivisionError("x"))
    with port.connected() as client:
        client.send(request(b"abc"))
        status, headers, body = client.answer()
        assert (status, headers["connection"]) == (500, "close")
        assert b"ZeroDivisionError" in body
        assert client.is_closed()


def test_many_requests_that_did_not_wait_are_answered_one_by_one(port: Port) -> None:
    port.receiver.says = raising(BadRequestError("no"))
    with port.connected() as client:
        sending = threading.Thread(target=client.send, args=(request(b"abc") * 1500,))
        sending.start()
        assert {client.answer()[0] for _ in range(1500)} == {400}
        sending.join()


def test_who_may_is_asked_before_the_body_is_read(port: Port) -> None:
    port.access.open = False
    with port.connected() as client:
        for number in range(2):  # the first is asked for in a thread, the second is known
            client.send(request(bytes(300_000), PROTOBUF, "Authorization: Bearer good"))
            assert client.answer()[0] == 200
            assert port.access.paid == 300_000 * (number + 1)
        client.send(request(b"abc", PROTOBUF, "Authorization: Bearer bad"))
        assert client.answer()[0] == 299
    assert len(port.receiver.taken) == 2


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(port: Port) -> None:
    written: Future[None] = Future()
    port.receiver.says = lambda body: Outcome("logs", written, 0, "") if body == b"slow" else outcome()
    with port.connected() as client, port.connected() as waiting:
        waiting.send(request(b"slow"))
        client.send(request(b"quick"))
        assert client.answer()[0] == 200
        assert client.is_closed()
        written.set_result(None)
        assert waiting.answer()[0] == 200


def test_what_is_under_way_is_answered_before_the_end() -> None:
    port, written = Port(), Future[None]()
    came = threading.Event()

    def say(body: bytes) -> Outcome:
        came.set()
        return Outcome("logs", written, 0, "")

    port.receiver.says = say
    with port.connected() as client, port.connected() as idle:
        client.send(request(b"abc"))
        assert came.wait(60)
        closing = threading.Thread(target=port.close)
        closing.start()
        assert idle.is_closed()
        written.set_result(None)
        status, headers, _ = client.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert client.is_closed()
        closing.join(timeout=60)
