"""StatsD and DogStatsD over UDP and Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import time
from pathlib import Path

import structlog

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.logs.levels import level_number
from pilothouse.signals.receive.datadog_tags import resource_of, tags_of
from pilothouse.signals.receive.log_requests import LogRequest
from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.statsd_aggregating import Aggregator, lines_of
from pilothouse.signals.receive.statsd_lines import Check, Event, LineError, parse

log = structlog.get_logger(__name__)

_LARGEST_PACKET = 65_536
_RECEIVE_BUFFER = 8_000_000
_MOST_EVENTS = 10_000


class StatsD:
    """Listens, and hands what it counted to the receiver every `interval` seconds."""

    def __init__(self, receiver: Receiver, interval: float = 10.0) -> None:
        self._receiver, self._interval = receiver, interval
        self._aggregator = Aggregator()
        self._events: list[Event] = []
        self._sockets: list[socket.socket] = []
        self._paths: list[Path] = []
        self._flushing: asyncio.Task[None] | None = None
        self.lost = 0

    async def listen(self, host: str, port: int) -> int:
        """Take UDP; returns the port."""
        taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            taken.bind((host, port))
        except OSError as error:
            taken.close()
            raise OSError(f"{host}:{port}: cannot listen there: {error.strerror or error}") from None
        self._take(taken)
        return int(taken.getsockname()[1])

    def listen_at(self, path: Path) -> None:
        """Take datagrams of a Unix socket; what an earlier process left there is replaced."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise OSError(f"{path}: is there and is no socket")
            path.unlink()
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            taken.bind(str(path))
        except OSError as error:
            taken.close()
            raise OSError(f"{path}: cannot listen there: {error.strerror or error}") from None
        # Pods of other users write there; whoever may reach the directory may write.
        os.chmod(path, 0o722)  # noqa: S103 - as the agent's own socket
        self._paths.append(path)
        self._take(taken)

    def _take(self, taken: socket.socket) -> None:
        taken.setblocking(False)
        with contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._sockets.append(taken)
        asyncio.get_running_loop().add_reader(taken.fileno(), self._readable, taken)
        self._flushing = self._flushing or asyncio.ensure_future(self._flush_forever())

    def _readable(self, taken: socket.socket) -> None:
        # Some at a time, so that HTTP gets its turn.
        for _ in range(200):
            try:
                packet = taken.recv(_LARGEST_PACKET)
            except (BlockingIOError, InterruptedError):
                return
            self.take(packet)

    def take(self, packet: bytes) -> None:
        """The lines of one packet. What is no line is counted and left out."""
        now = time.time()
        for line in lines_of(packet):
            try:
                found = parse(line)
            except LineError as error:
                self.lost += 1
                log.debug("a line of StatsD was not understood", reason=str(error))
                continue
            if isinstance(found, Event):
                self._events = [*self._events[-_MOST_EVENTS:], found]
            elif isinstance(found, Check):
                self._aggregator.check(found, now)
            else:
                self._aggregator.add(found, now)

    async def _flush_forever(self) -> None:
        while True:
            # At even times, so that a series' times are evenly apart.
            await asyncio.sleep(self._interval - time.time() % self._interval)
            await self.flush()

    async def flush(self) -> None:
        """Hand over what was counted."""
        made = self._aggregator.flush(round(time.time(), 1))
        events, self._events = self._events, []
        try:
            if made.points:
                outcome = await asyncio.to_thread(self._receiver.receive, "metrics", made.body())
                await asyncio.wrap_future(outcome.written)
                if outcome.rejected:
                    log.warning("points of StatsD were refused", points=outcome.rejected, reason=outcome.message)
            if events:
                await _request_of(events).send(self._receiver)
        except (BadRequestError, OverloadedError) as error:
            # Counters and histograms are told again in full at the next flush.
            log.warning("what StatsD counted could not be kept now", reason=str(error))

    async def close(self) -> None:
        """Take no more, hand over what came."""
        for taken in self._sockets:
            self._readable(taken)
            asyncio.get_running_loop().remove_reader(taken.fileno())
            taken.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        if self._flushing:
            self._flushing.cancel()
            await self.flush()


def _request_of(events: list[Event]) -> LogRequest:
    made = LogRequest()
    for event in events:
        tags = tags_of(event.tags)
        body = f"{event.title}\n{event.text}" if event.text else event.title
        at = round((event.time or time.time()) * 1e9)
        made.stream(resource_of(tags)).add(at, body, tags, level_number(event.level), event.level)
    return made
