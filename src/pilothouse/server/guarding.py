"""What stands before every HTTP handler: known hosts only, safe headers, errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from pilothouse.engine import (
    BudgetExceededError,
    CancelledError,
    EngineError,
    EngineUnavailableError,
    QueryError,
)
from pilothouse.masking import masked
from pilothouse.signals.errors import BadRequestError, NotFoundError, OverloadedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
# ClickHouse's CANNOT_COMPILE_REGEXP: what Python's `re` takes and RE2 does not, such as a look-ahead.
_NO_EXPRESSION = 427
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """ASGI middleware: refuses foreign Host headers on loopback (DNS rebinding) and adds the safe headers."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._hosts is not None and _host(scope) not in self._hosts:
            await send({"type": "websocket.close", "code": 1008, "reason": "this host name is not known here"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._hosts is not None and _host(scope) not in self._hosts:
            message = "this host name is not known here; add it to allowed_hosts if it is yours"
            await _failure(421, "unknown_host", message)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


def known_hosts(address: str, allowed: str) -> frozenset[str] | None:
    """The host names to answer to; None (any) when the server listens beyond loopback and none are named."""
    host = address.rpartition(":")[0].strip("[]")
    further = {name.strip() for name in allowed.split(",") if name.strip()}
    if host in _LOCAL:
        return _LOCAL | further
    return frozenset(_LOCAL | further | {host}) if further else None


def _host(scope: Scope) -> str:
    value = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    return value[1 : value.find("]")] if value.startswith("[") else value.partition(":")[0].lower()


def _failure(status: int, code: str, message: str, field: str = "", **headers: str) -> Response:
    error = {"code": code, "message": masked(message)} | ({"field": field} if field else {})
    return JSONResponse({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})


async def _bad_request(request: Request, error: Exception) -> Response:
    return _failure(400, "bad_request", str(error), getattr(error, "field", ""))


async def _not_found(request: Request, error: Exception) -> Response:
    return _failure(404, "not_found", str(error))


async def _http_error(request: Request, error: Any) -> Response:
    words = {404: f"nothing is at {request.url.path}", 405: f"{request.method} is not for {request.url.path}"}
    codes = {404: "not_found", 405: "method_not_allowed"}
    message = words.get(error.status_code, str(error.detail))
    return _failure(error.status_code, codes.get(error.status_code, "http_error"), message, **(error.headers or {}))


async def _overloaded(request: Request, error: Exception) -> Response:
    seconds = str(max(1, round(getattr(error, "retry_after", 1.0))))
    return _failure(503, "unavailable", str(error), retry_after=seconds)


async def _over_budget(request: Request, error: Exception) -> Response:
    message = f"the question takes more than it may: {error}; ask for a shorter time range or fewer series"
    return _failure(422, "over_budget", message)


async def _refused(request: Request, error: Any) -> Response:
    if error.code != _NO_EXPRESSION:
        return await _broken(request, error)
    message = f"selector: RE2 does not take this regular expression: {str(error).partition(':')[2].strip()[:300]}"
    return _failure(400, "bad_request", message, "selector")


async def _gone(request: Request, error: Exception) -> Response:
    """The client went away before its request was whole; nobody reads this."""
    return Response(status_code=400)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("a question failed", path=request.url.path, reason=str(error), kind=type(error).__name__)
    return _failure(500, "internal", f"this is a defect in Pilothouse: {type(error).__name__}; the log has more")


HANDLERS: dict[Any, Any] = {
    404: _http_error,
    405: _http_error,
    BadRequestError: _bad_request,
    NotFoundError: _not_found,
    OverloadedError: _overloaded,
    EngineUnavailableError: _overloaded,
    CancelledError: _overloaded,
    BudgetExceededError: _over_budget,
    QueryError: _refused,
    EngineError: _broken,
    ClientDisconnect: _gone,
    Exception: _broken,
}
