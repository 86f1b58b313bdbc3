"""Admission over HTTP: ASGI middleware that finds each request's tenant, and writes acts down."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from starlette.responses import JSONResponse

from pilothouse.server.access.admission import Access, Admitted, RefusedError
from pilothouse.server.access.callers import DEFAULT_TENANT, secret_of
from pilothouse.server.access.scopes import ACT, ADMIN, needed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)
_GIT = ("/info/refs", "/git-upload-pack", "/git-receive-pack")
_FORGE, _FORGE_TOKEN = ("/git/", "/api/forge/"), "phf_"
_SAFE = ("GET", "HEAD", "OPTIONS", "WEBSOCKET")


class Admission:
    """Gives each request to the app of its tenant, when it may go on."""

    def __init__(
        self, apps: Mapping[str, ASGIApp], access: Access, served: Callable[[str], bool] = lambda path: False
    ) -> None:
        self._apps, self._access, self._served = apps, access, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] not in ("http", "websocket"):
            await self._apps[DEFAULT_TENANT](scope, receive, send)
            return
        method = scope.get("method", "WEBSOCKET")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        wanted = None if _forge_judges(scope["path"], headers) else needed(method, scope["path"], self._served)
        if wanted is None and self._access.read_only and _acts(method, scope["path"]):
            await _refuse(RefusedError(403, "read_only", "this server is read-only"), scope, receive, send)
            return
        if wanted is None:
            await self._judged_elsewhere(scope, receive, send, method)
            return
        acting = wanted in (ACT, ADMIN) and method not in _SAFE
        try:
            if acting or method == "WEBSOCKET":
                _same_site(headers, self._access.external)
            if self._access.at_once(headers):
                admitted = self._access.admit(headers, wanted)
            else:
                admitted = await asyncio.to_thread(self._access.admit, headers, wanted)
        except RefusedError as error:
            if acting and error.caller and error.status == 403:
                # Under the tenant that the caller is of: another's record is not for them to write in.
                await self._note(scope, error.caller.name, error.caller.tenant or DEFAULT_TENANT, error.status)
            await _refuse(error, scope, receive, send)
            return
        await self._go_on(scope, receive, send, admitted, acting)

    async def _judged_elsewhere(self, scope: Scope, receive: Receive, send: Send, method: str) -> None:
        """What the built-in forge lets in, or is open to all; a change of the forge is written down as its people's."""
        path, app = scope["path"], self._apps[DEFAULT_TENANT]
        if method in _SAFE or not path.startswith(_FORGE) or path.endswith("/git-upload-pack"):
            await app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, watched)
        finally:
            # Who is nobody there could fill the record with refusals.
            if caller := scope.get("caller"):
                await self._note(scope, f"forge:{caller}", DEFAULT_TENANT, status)

    async def _go_on(self, scope: Scope, receive: Receive, send: Send, admitted: Admitted, acting: bool) -> None:
        status = 500

        async def counted() -> Message:
            message = await receive()
            if body := message.get("body"):
                self._access.limiter.pay(admitted.limits, len(body))
            return message

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        scope["caller"] = admitted.caller.name
        try:
            await self._apps[admitted.tenant](scope, counted, watched if acting else send)
        finally:
            if acting:
                await self._note(scope, admitted.caller.name, admitted.tenant, status)

    async def _note(self, scope: Scope, caller: str, tenant: str, status: int) -> None:
        address = (scope.get("client") or ("",))[0]
        try:
            await asyncio.to_thread(
                self._access.audit.note, caller, tenant, address, scope["method"], scope["path"], status
            )
        except Exception as error:
            log.error("an act could not be written down", path=scope["path"], caller=caller, reason=str(error))


def _forge_judges(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a request shows a token of the built-in forge, which names one of its people, on the way to it."""
    return path.startswith(_FORGE) and secret_of(headers)[0].startswith(_FORGE_TOKEN)


def _acts(method: str, path: str) -> bool:
    """Whether an open request would change something other than who is signed in."""
    return method not in _SAFE and not path.startswith("/sign-")


def _same_site(headers: Mapping[str, str], external: str) -> None:
    """A page of somebody else, open in the same browser, may not act in its reader's name."""
    origin = headers.get("origin", "")
    ours = {headers.get("host", "").lower(), external.lower()} - {""}
    foreign = origin and urlsplit(origin).netloc.lower() not in ours
    if foreign or headers.get("sec-fetch-site") == "cross-site":
        raise RefusedError(403, "cross_site", "another site's page may not do this")


async def _refuse(error: RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": str(error)})
        return
    headers = {}
    if error.status == 401:
        # Git asks its user only for Basic; a browser would ask with a window of its own, which the page must not get.
        kind = "Basic" if scope["path"].endswith(_GIT) else "Bearer"
        headers["www-authenticate"] = f'{kind} realm="pilothouse"'
    if error.retry_after:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    content = {"error": {"code": error.code, "message": str(error)}}
    await JSONResponse(content, error.status, headers)(scope, receive, send)
