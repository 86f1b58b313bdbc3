"""Connections to OTLP's own HTTP port: what clients send day in, day out goes from the socket to the door at once.

A head as clients write it, with a body of a length that it tells, needs no ASGI: the body is received where it is
scanned, and what is answered is nearly always the same. From anything else on, a connection is left to uvicorn, which
answers for all that is odd: other methods, paths and media, chunks, bodies that are too large, who may not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from pilothouse.server.access.admission import RefusedError
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.access.scopes import INGEST
from pilothouse.server.otlp_buffers import Buffers
from pilothouse.server.otlp_heads import MOST_HEAD, Head, head_of
from pilothouse.signals.receive.decoding import decompress
from pilothouse.signals.receive.otlp_http import PROTOBUF, REFUSALS, answered, refused

if TYPE_CHECKING:
    from concurrent.futures import Future

    import uvicorn
    from starlette.responses import Response
    from uvicorn.server import ServerState

    from pilothouse.server.access.admission import Access
    from pilothouse.server.access.limiting import Limits
    from pilothouse.signals.receive.otlp import Outcome, Receiver

log = structlog.get_logger(__name__)

# Larger bodies are not looked at between those of others; those that have to be parsed or unpacked, much smaller ones.
_LARGE, _LARGE_PARSED, _LARGE_PACKED = 1_000_000, 256_000, 16_000
# What a head alone is given: memory grows with what is sent, not with what is announced.
_FIRST_ROOM = 262_144

# What is read comes here first. No connection leaves anything in it, since there is one loop.
_read = bytearray(65_536)
_reading = memoryview(_read)


@dataclass(frozen=True, slots=True)
class Door:
    """Where a tenant's requests go, and the most bytes that one may have."""

    receiver: Receiver
    limit: int

    def take_at_once(self, head: Head, body: memoryview) -> Outcome | None:
        """None for what would hold up the others: `take` is for that."""
        if head.encoding:
            return self.take(head, body) if len(body) <= _LARGE_PACKED else None
        outcome = self.receiver.scanned(head.kind, body) if len(body) <= _LARGE else None
        if outcome is None and len(body) <= _LARGE_PARSED:
            return self.receiver.parsed(head.kind, bytes(body))
        return outcome

    def take(self, head: Head, body: memoryview | bytes) -> Outcome:
        """What `take_at_once` has left, in a thread."""
        if head.encoding:
            return self.receiver.receive(head.kind, decompress(bytes(body), head.encoding, self.limit))
        if len(body) <= _LARGE:
            return self.receiver.parsed(head.kind, bytes(body))  # it was scanned already, in vain
        return self.receiver.receive(head.kind, bytes(body))


class OtlpPort:
    """What the connections of a port share; makes their protocols for uvicorn."""

    def __init__(self, doors: Mapping[str, Door], access: Access) -> None:
        self.doors, self.access = doors, access
        self.buffers = Buffers()
        self._calls: deque[Callable[[], None]] = deque()
        self._woken = False
        self._good: tuple[Any, bytes] = (None, b"")

    def protocol(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> OtlpConnection:
        """A new connection's protocol, as uvicorn asks for it."""
        return OtlpConnection(self, config, server_state, app_state)

    def soon(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Call it in the loop; from any thread. What many requests wait for is told to the loop once."""
        self._calls.append(call)
        if not self._woken:
            self._woken = True
            # Who is told after the loop has ended has no connection any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._woken = False
        while self._calls:
            self._calls.popleft()()

    def good(self, state: ServerState) -> bytes:
        """What nearly every request is answered; it says the time, so that it is made once a second."""
        if self._good[0] is not state.default_headers:
            self._good = state.default_headers, _written(answered(PROTOBUF, b""), state)
        return self._good[1]


class OtlpConnection(asyncio.BufferedProtocol):
    """One connection. It reads a head, then its body, and answers before it looks at what comes next."""

    def __init__(self, port: OtlpPort, config: uvicorn.Config, state: ServerState, app_state: dict[str, Any]) -> None:
        self._port, self._config, self._state, self._app_state = port, config, state, app_state
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._rest = bytearray()  # was read, and waits to be looked at
        self._head: Head | None = None
        self._door: Door | None = None
        self._limits: Limits = ()
        self._body: bytearray | None = None
        self._filled = 0
        self._outcome: Outcome | None = None
        self._busy = self._ending = self._choked = False
        self._idle: asyncio.TimerHandle | None = None
        self._answered_at = 0.0

    # ---- as asyncio has it ----

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]

    def connection_lost(self, error: Exception | None) -> None:
        """End; what was taken of a request stays taken."""
        self._forget()
        if not self._busy:
            self._give_back()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to: the place of the body where one is due."""
        if self._body is None or self._busy or self._head is None:
            return _reading
        if self._filled == len(self._body):
            self._body = self._port.buffers.larger(self._body, self._head.length)
        return memoryview(self._body)[self._filled : self._head.length]

    def buffer_updated(self, count: int) -> None:
        """Something was read."""
        if self._busy:
            # The next request, whose sender did not wait.
            self._rest += _reading[:count]
            if len(self._rest) > MOST_HEAD:
                self._transport.pause_reading()
        elif self._body is not None and self._head:
            self._filled += count
            if self._filled == self._head.length:
                self._take(memoryview(self._body)[: self._filled])
        elif self._rest:
            self._rest += _reading[:count]
            self._look(self._rest, len(self._rest))
        else:
            self._look(_read, count)

    def pause_writing(self) -> None:
        """Who does not read answers is not read from."""
        self._choked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._choked = False
        self._transport.resume_reading()

    # ---- as uvicorn has it ----

    def shutdown(self) -> None:
        """End the connection, after the request that is under way."""
        if self._busy or self._head:
            self._ending = True
        else:
            self._transport.close()

    # ---- a request ----

    def _look(self, content: bytearray, size: int) -> None:
        """At the beginning of a request, in `content` up to `size`."""
        end = content.find(b"\r\n\r\n", 0, size)
        if end < 0 and size <= MOST_HEAD:
            if content is not self._rest:
                self._rest = content[:size]
            return
        self._head = head_of(bytes(content[: end + 4])) if end >= 0 else None
        access = self._port.access
        if self._head is None:
            self._leave(content[:size])
        elif access.open:
            self._enter(self._port.doors[DEFAULT_TENANT], content, end + 4, size)
        elif access.at_once(self._head.headers):
            self._enter(self._admitted(self._head), content, end + 4, size)
        else:
            self._enter_later(self._head, content[:size], end + 4)

    def _admitted(self, head: Head) -> Door | None:
        """None where somebody has to be told that they may not. May be called in any thread."""
        try:
            admitted = self._port.access.admit(head.headers, INGEST)
        except RefusedError:
            return None
        self._limits = admitted.limits
        return self._port.doors[admitted.tenant]

    def _enter_later(self, head: Head, content: bytearray, start: int) -> None:
        self._busy, self._rest = True, bytearray()
        self._transport.pause_reading()

        def go_on(asked: asyncio.Future[Door | None]) -> None:
            self._busy = False
            if self._transport is not None:
                self._transport.resume_reading()
                self._enter(asked.result(), content, start, len(content))

        self._loop.run_in_executor(None, self._admitted, head).add_done_callback(go_on)

    def _enter(self, door: Door | None, content: bytearray, start: int, size: int) -> None:
        """What was read of the body is in `content`, from `start` up to `size`."""
        assert self._head
        length = self._head.length
        if door is None or length > door.limit:
            self._leave(content[:size])
            return
        self._door, whole = door, start + length
        if whole <= size:
            # Others may use `_read` as soon as this returns; what waits in it is taken out before.
            self._rest = content[whole:size]
            self._take(memoryview(content)[start:whole])
            return
        self._body, self._filled = self._port.buffers.take(min(length, max(size, _FIRST_ROOM))), size - start
        memoryview(self._body)[: self._filled] = memoryview(content)[start:size]
        self._rest = bytearray()

    def _take(self, body: memoryview) -> None:
        """A whole body, which stays where it is until this returns."""
        assert self._head
        assert self._door
        self._busy = True
        if self._limits:
            self._port.access.limiter.pay(self._limits, len(body))
        try:
            outcome = self._door.take_at_once(self._head, body)
        except Exception as error:
            self._refuse(error)
            return
        if outcome:
            self._give_back()
            self._wait(outcome)
            return
        own = body if self._body is not None else bytes(body)
        taken = self._loop.run_in_executor(None, self._door.take, self._head, own)
        taken.add_done_callback(self._taken_in_thread)

    def _taken_in_thread(self, taken: asyncio.Future[Outcome]) -> None:
        self._give_back()
        if error := taken.exception():
            self._refuse(error)
        else:
            self._wait(taken.result())

    def _wait(self, outcome: Outcome) -> None:
        self._outcome = outcome
        outcome.written.add_done_callback(self._journaled)

    def _journaled(self, written: Future[None]) -> None:
        self._port.soon(self._loop, self._answer)

    # ---- answering ----

    def _answer(self) -> None:
        outcome, self._outcome = self._outcome, None
        assert outcome
        if error := outcome.written.exception():
            self._refuse(error)
        elif outcome.message or self._ending:
            self._send(answered(PROTOBUF, outcome.protobuf()))
        else:
            self._write(self._port.good(self._state))

    def _refuse(self, error: BaseException) -> None:
        self._give_back()
        if not isinstance(error, REFUSALS):
            log.error("a request failed", kind=self._head and self._head.kind, reason=repr(error))
            self._ending = True
        self._send(refused(PROTOBUF, error))

    def _send(self, response: Response) -> None:
        self._write(_written(response, self._state, self._ending))

    def _write(self, answer: bytes) -> None:
        self._busy, self._head, self._limits = False, None, ()
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(answer)
        self._state.total_requests += 1
        if self._ending:
            self._transport.close()
            return
        self._answered_at = self._loop.time()
        if self._idle is None:
            self._idle = self._loop.call_later(self._config.timeout_keep_alive, self._look_at_the_clock)
        if not self._choked:
            self._transport.resume_reading()
        if self._rest:
            self._loop.call_soon(self._look_again)

    def _look_again(self) -> None:
        """At what was read behind the last request."""
        if self._rest and not self._busy and self._head is None and self._transport is not None:
            self._look(self._rest, len(self._rest))

    def _look_at_the_clock(self) -> None:
        """One timer for many requests: it ends a connection that nothing came by for long enough."""
        self._idle = None
        if self._busy or self._head or self._rest:
            return
        left = self._answered_at + self._config.timeout_keep_alive - self._loop.time()
        if left > 0:
            self._idle = self._loop.call_later(left, self._look_at_the_clock)
        else:
            self._transport.close()

    # ---- ending ----

    def _leave(self, content: bytearray) -> None:
        """To uvicorn, with what was read of a request."""
        transport = self._transport
        self._forget()
        self._head, self._rest = None, bytearray()
        left_to = HttpToolsProtocol(self._config, self._state, self._app_state, self._loop)
        left_to.connection_made(transport)
        transport.set_protocol(left_to)
        left_to.data_received(bytes(content))

    def _forget(self) -> None:
        self._state.connections.discard(self)
        self._transport = None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _give_back(self) -> None:
        if self._body is not None:
            self._port.buffers.give(self._body)
            self._body = None


def _written(response: Response, state: ServerState, closing: bool = False) -> bytes:
    """An answer as it is sent."""
    headers = [*state.default_headers, *response.raw_headers, *([(b"connection", b"close")] if closing else [])]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body)
