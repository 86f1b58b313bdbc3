"""`/git/OWNER/NAME.git`: git's smart HTTP (gitprotocol-http), for `git clone`, `git fetch` and `git push`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import structlog
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.delivery.forges.errors import AccessError, ForgeError, InvalidError, MissingError
from pilothouse.delivery.forges.local import names, pushing
from pilothouse.delivery.forges.local.entering import UnknownTokenError, bearer
from pilothouse.delivery.forges.local.exchanging import Exchange, pieces
from pilothouse.delivery.forges.local.git import environment
from pilothouse.delivery.forges.local.house import House
from pilothouse.delivery.forges.local.looking import LocalReading
from pilothouse.delivery.forges.local.repositories import Kept
from pilothouse.delivery.forges.local.settling import NOBODY, WhoMoved
from pilothouse.delivery.forges.model import User

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    _Handler = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger(__name__)

_SERVICES = ("git-upload-pack", "git-receive-pack")
_VERSION = re.compile(r"version=[012]")
_MOST_WANTS = 64 << 20
_MOST_HEAD = 16 << 20
_AT_ONCE = 8
_WAITING = 200
_TIDY_EVERY = 50


class SmartHttp:
    """Serves the repositories of a forge to git."""

    def __init__(self, house: House, most_bytes: int) -> None:
        """`most_bytes` that one push may bring, unpacked as it is sent. Raises `OSError`, see `write_hook`."""
        self._house, self._most = house, most_bytes
        self._hooks = pushing.write_hook(house.data / "hooks")
        self._room, self._refs_room = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(2 * _AT_ONCE)
        self._here = 0
        self._pushed: dict[tuple[int, str, str], User] = {}
        self._pushes: dict[int, int] = {}

    def routes(self) -> list[Route]:
        """What git asks for."""
        return [
            Route("/git/{owner}/{name}/info/refs", self._answered(self._refs), methods=["GET"]),
            Route("/git/{owner}/{name}/{service}", self._answered(self._service), methods=["POST"]),
        ]

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Counts who waits and who is served."""
        self._here += 1
        try:
            yield
        finally:
            self._here -= 1

    def _answered(self, handler: _Handler) -> _Handler:
        """A handler whose errors are in words that git shows."""

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except UnknownTokenError as error:
                return _said(401, str(error))
            except MissingError as error:
                # Who does not say who he is does not learn what there is.
                known = "authorization" in request.headers
                return _said(404, str(error)) if known else _said(401, "say who you are to see this repository")
            except AccessError as error:
                known = "authorization" in request.headers
                return _said(403 if known else 401, str(error))
            except InvalidError as error:
                return _said(400, str(error))
            except ForgeError as error:
                log.error("git", path=request.url.path, reason=str(error))
                return _said(500, "git failed here; the server's log says why")

        return answered

    async def _entered(self, request: Request, service: str) -> tuple[Kept, LocalReading]:
        """The repository, for somebody who may do this there."""
        if service not in _SERVICES:
            raise InvalidError("only git's smart protocol is spoken here: service=git-upload-pack or git-receive-pack")
        name = f"{request.path_params['owner']}/{request.path_params['name'].removesuffix('.git')}"
        try:
            names.full_name(name)
        except InvalidError:
            raise MissingError("there is no such repository") from None
        authorization = request.headers.get("authorization", "")

        def entered() -> tuple[Kept, LocalReading]:
            forge = LocalReading(self._house, bearer(self._house, authorization))
            # Whoever keeps the record of acts finds there who it was.
            request.scope["caller"] = forge.me.login
            kept = forge.kept(name, "write" if service == _SERVICES[1] else "read")
            if kept.archived and service == _SERVICES[1]:
                raise AccessError(f"{kept.full_name} is archived")
            return kept, forge

        return await asyncio.to_thread(entered)

    def _command(self, service: str, kept: Kept, *options: str) -> tuple[str, ...]:
        directory = str(self._house.repositories.git(kept).directory)
        return ("git", service.removeprefix("git-"), "--stateless-rpc", *options, directory)

    def _environment(self, request: Request, service: str) -> dict[str, str]:
        asked = request.headers.get("git-protocol", "")
        # Pushing knows no version 2.
        version = {"GIT_PROTOCOL": asked} if service == _SERVICES[0] and _VERSION.fullmatch(asked) else {}
        return environment() | version

    async def _refs(self, request: Request) -> Response:
        service = request.query_params.get("service", "")
        kept, _ = await self._entered(request, service)
        found = self._environment(request, service)
        line = f"# service={service}\n"
        prefix = b"" if found.get("GIT_PROTOCOL") == "version=2" else f"{len(line) + 4:04x}{line}0000".encode()
        command = self._command(service, kept, "--advertise-refs")
        media = f"application/x-{service}-advertisement"
        return Exchange(command, found, _nothing(), media, prefix, room=self._refs_room)

    async def _service(self, request: Request) -> Response:
        service = request.path_params["service"]
        kept, forge = await self._entered(request, service)
        if request.headers.get("content-type") != f"application/x-{service}-request":
            # A page of another origin cannot send this without asking first.
            raise InvalidError(f"content-type: git sends application/x-{service}-request")
        if self._here >= _WAITING:
            return _said(503, "too many clones and pushes wait here; try again in a minute")
        encoding = request.headers.get("content-encoding", "").strip().lower()
        most = _MOST_WANTS if service == _SERVICES[0] else self._most + _MOST_HEAD
        given = pieces(request.stream(), "gzip" if encoding in ("gzip", "x-gzip") else "", most)
        if service == _SERVICES[1]:
            return await self._push(kept, forge, given)
        return _Counted(
            self,
            Exchange(
                self._command(service, kept), self._environment(request, service), given,
                f"application/x-{service}-result", room=self._room,
            ),
        )  # fmt: skip

    async def _push(self, kept: Kept, forge: LocalReading, given: AsyncIterator[bytes]) -> Response:
        service = _SERVICES[1]
        head = await _head(given)
        asked = pushing.commands(head)
        rules = await asyncio.to_thread(pushing.rules, self._house.repositories, kept, forge, asked)
        for command in asked:
            self._pushed[kept.id, command.ref, command.after] = forge.me
        enforced = contextlib.ExitStack()
        found = enforced.enter_context(pushing.enforced(self._hooks, rules, {"receive.maxInputSize": str(self._most)}))

        async def after() -> None:
            enforced.close()
            try:
                await asyncio.to_thread(self._house.settling.settle, kept, self._who(kept))
            except Exception as error:
                # The push is in; it is told of with the next one, or at the next start.
                log.error("a push is not told of yet", repository=kept.full_name, reason=str(error))
            for command in asked:
                self._pushed.pop((kept.id, command.ref, command.after), None)
            self._tidy(kept)

        media = f"application/x-{service}-result"
        receiving = self._command(service, kept)
        return _Counted(self, Exchange(receiving, found, _joined(head, given), media, after=after, room=self._room))

    def _who(self, kept: Kept) -> WhoMoved:
        return lambda ref, sha: self._pushed.get((kept.id, ref, sha), NOBODY)

    def _tidy(self, kept: Kept) -> None:
        """Pack what many small pushes left, now and then, in the background."""
        self._pushes[kept.id] = self._pushes.get(kept.id, 0) + 1
        if self._pushes[kept.id] % _TIDY_EVERY == 0:
            asyncio.get_running_loop().run_in_executor(None, self._house.repositories.tidy, kept)


class _Counted(Response):
    """An exchange that is counted while it waits and runs."""

    def __init__(self, server: SmartHttp, exchange: Exchange) -> None:
        self._server, self._exchange = server, exchange
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._server.counting():
            await self._exchange(scope, receive, send)


def _said(status: int, words: str) -> Response:
    headers = {"www-authenticate": 'Basic realm="Pilothouse"'} if status == 401 else {}
    return PlainTextResponse(words + "\n", status, headers)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for piece in rest:
        yield piece


async def _head(given: AsyncIterator[bytes]) -> bytes:
    """A push up to and with the end of its commands, and whatever came in the same piece."""
    head, at = bytearray(), 0
    async for piece in given:
        head += piece
        while at + 4 <= len(head):
            length = pushing.pkt_length(bytes(head[at : at + 4]))
            if length == 0:
                return bytes(head)
            if at + length > len(head):
                break
            at += length
        if len(head) > _MOST_HEAD:
            raise InvalidError("too many refs in one push")
    return bytes(head)
