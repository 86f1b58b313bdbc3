"""Lines over TCP and UDP: plain, or as syslog (RFC 6587 framing over TCP, RFC 5426 over UDP).

Nobody answers a sender, so what it sends is taken as fast as the journal takes it and no faster: a full journal makes
TCP wait. Lines that cannot be kept are counted and logged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.log_requests import LogRequest, valid_text
from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.syslog_messages import parse

log = structlog.get_logger(__name__)

LONGEST = 1_048_576
_BATCH_LINES, _BATCH_SECONDS = 2000, 0.2
_MOST_WAITING = 50_000
Add = Callable[[LogRequest, str, str], None]


def add_syslog(made: LogRequest, text: str, sender: str) -> None:
    """A syslog message into a request."""
    message = parse(text)
    resource = {"service.name": "syslog", "host.name": sender} | message.resource
    made.stream(resource).add(message.time, message.line, message.attributes, message.severity, message.severity_text)


def add_line(made: LogRequest, text: str, sender: str) -> None:
    """A plain line into a request."""
    made.stream({"service.name": "lines", "host.name": sender}).add(0, text, {})


class Lines:
    """Listens on TCP, UDP or both at one address, and journals what comes."""

    def __init__(self, receiver: Receiver, add: Add = add_line) -> None:
        self._receiver, self._add = receiver, add
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MOST_WAITING)
        self._servers: list[asyncio.Server] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self._sending: asyncio.Task[None] | None = None
        self.lost = 0

    async def listen(self, host: str, port: int, udp: bool = False) -> int:
        """Start; returns the port (of TCP, and with `udp` of both)."""
        server = await asyncio.start_server(self._connected, host, port, limit=LONGEST + 16)
        self._servers.append(server)
        bound = int(server.sockets[0].getsockname()[1])
        if udp:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=(host, bound))
            self._transports.append(transport)
        self._sending = self._sending or asyncio.ensure_future(self._send_forever())
        return bound

    async def close(self) -> None:
        """Take no more, journal what came."""
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        if self._sending:
            await self._waiting.join()
            self._sending.cancel()

    def take_datagram(self, data: bytes, sender: str) -> None:
        """One message of UDP; it is lost when too many wait."""
        try:
            self._waiting.put_nowait((data.rstrip(b"\r\n\0").decode("utf-8", "replace"), sender))
        except asyncio.QueueFull:
            self.lost += 1

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = str((writer.get_extra_info("peername") or ("unknown",))[0])
        try:
            while (text := await _frame(reader, self._add is add_syslog)) is not None:
                if text:
                    await self._waiting.put((text, sender))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _send_forever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_BATCH_SECONDS):
                    while len(batch) < _BATCH_LINES:
                        batch.append(await self._waiting.get())
            await self._send(batch)
            for _ in batch:
                self._waiting.task_done()

    async def _send(self, batch: list[tuple[str, str]]) -> None:
        made = LogRequest()
        for text, sender in batch:
            self._add(made, valid_text(text), sender)
        while True:
            try:
                outcome = await made.send(self._receiver)
            except OverloadedError as error:
                await asyncio.sleep(error.retry_after)
                continue
            except BadRequestError as error:
                self.lost += len(batch)
                log.warning("lines could not be kept", lines=len(batch), reason=str(error))
                return
            if outcome and outcome.rejected:
                self.lost += outcome.rejected
                log.warning("lines could not be kept", lines=outcome.rejected, reason=outcome.message)
            return


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._lines.take_datagram(data, addr[0])


async def _frame(reader: asyncio.StreamReader, counted: bool) -> str | None:
    """The next line, or (RFC 6587, 3.4.1) as many bytes as the number before it says; None at the end.

    A line that is too long is cut: its first megabyte is kept.
    """
    try:
        raw = await reader.readuntil(b"\n") if not counted else await _counted_or_line(reader)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raw = error.partial
    except asyncio.LimitOverrunError:
        raw = await reader.readexactly(LONGEST)
        await _skip_line(reader)
    return raw.rstrip(b"\r\n\0").decode("utf-8", "replace")


async def _counted_or_line(reader: asyncio.StreamReader) -> bytes:
    first = await reader.readexactly(1)
    if not first.isdigit():
        try:
            return first if first == b"\n" else first + await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            return first + error.partial
    digits = first + (await reader.readuntil(b" "))[:-1]
    if not digits.isdigit() or int(digits) > LONGEST:
        return digits + b" " + await reader.readuntil(b"\n")
    return await reader.readexactly(int(digits))


async def _skip_line(reader: asyncio.StreamReader) -> None:
    while True:
        try:
            await reader.readuntil(b"\n")
            return
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
        except asyncio.IncompleteReadError:
            return
