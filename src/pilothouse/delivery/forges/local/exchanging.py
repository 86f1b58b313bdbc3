"""One exchange between a git on the other side and ours: bytes both ways, in pieces, in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from pilothouse.delivery.forges.errors import InvalidError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

T = TypeVar("T")
_PIECE = 65_536
_IDLE = 300.0


async def pieces(stream: AsyncIterator[bytes], encoding: str, most: int) -> AsyncIterator[bytes]:
    """A request's body, unpacked when it is gzip, in pieces. Raises `InvalidError` above `most` bytes unpacked."""
    packed = zlib.decompressobj(31) if encoding == "gzip" else None
    seen = 0
    async for given in stream:
        rest = given
        while rest:
            if packed is None:
                piece, rest = rest, b""
            else:
                try:
                    piece = packed.decompress(rest, _PIECE)
                except zlib.error:
                    raise InvalidError("the body is not gzip, as its header says") from None
                rest = packed.unconsumed_tail
            seen += len(piece)
            if seen > most:
                raise InvalidError(f"more than {most:,} bytes in one request")
            if piece:
                yield piece


class Exchange(Response):
    """Answers with what a git process writes, while it reads the request.

    `after` runs when git has ended and before the last piece goes out: who waits for git's word finds it done.
    """

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], given: AsyncIterator[bytes], media_type: str,
        prefix: bytes = b"", after: Callable[[], Awaitable[None]] | None = None, room: asyncio.Semaphore | None = None,
    ) -> None:  # fmt: skip
        super().__init__(media_type=media_type, headers={"cache-control": "no-cache, max-age=0, must-revalidate"})
        del self.headers["content-length"]
        self._command, self._environment, self._given, self._prefix = command, environment, given, prefix
        self._after = after
        self._room = room or asyncio.Semaphore(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._room:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env=dict(self._environment), cwd="/", start_new_session=True,
            )  # fmt: skip
            feeding = asyncio.ensure_future(self._feed(process, receive))
            try:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                last = self._prefix
                assert process.stdout is not None
                while piece := await _in_time(process.stdout.read(_PIECE)):
                    if last:
                        await send({"type": "http.response.body", "body": last, "more_body": True})
                    last = piece
                await process.wait()
                if self._after:
                    await asyncio.shield(self._after())
                    self._after = None
                await send({"type": "http.response.body", "body": last, "more_body": False})
            finally:
                feeding.cancel()
                await _ended(process)
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await feeding
                if self._after:
                    # The other side went away, and yet refs may have moved.
                    await asyncio.shield(self._after())

    async def _feed(self, process: asyncio.subprocess.Process, receive: Receive) -> None:
        assert process.stdin is not None
        try:
            async for piece in self._given:
                process.stdin.write(piece)
                await _in_time(process.stdin.drain())
        except (ConnectionError, BrokenPipeError):
            # git has heard enough; what it says is still to come.
            return
        finally:
            # Half a push is refused by git itself, which then takes away what it has of it; on a signal it would not.
            process.stdin.close()
        if self._after is None:
            while (await receive())["type"] != "http.disconnect":
                pass
            # The other side went away; nobody reads what git is still making.
            _kill(process, signal.SIGTERM)


async def _in_time(moving: Awaitable[T]) -> T:
    async with asyncio.timeout(_IDLE):
        return await moving


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Make sure that a process and what it started are gone."""
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        if number:
            _kill(process, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()


def _kill(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
