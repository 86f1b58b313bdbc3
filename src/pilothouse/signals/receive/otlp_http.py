"""OTLP over HTTP: `/v1/logs`, `/v1/metrics`, `/v1/traces` (OTLP specification, OTLP/HTTP)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.otlp import KINDS, Receiver

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

PROTOBUF, JSON = "application/x-protobuf", "application/json"
# A larger body is parsed in a thread, so that it does not hold up the others.
_LARGE = 256_000
REFUSALS = (BodyError, BadRequestError, OverloadedError)
"""What is wrong with a request, or with the moment; `refused` says it."""

# gRPC status codes, as google.rpc.Status carries them.
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _INTERNAL, _UNAVAILABLE = 3, 8, 13, 14


def routes(receiver: Receiver, limit: int, prefix: str = "") -> list[Route]:
    """The three endpoints below `prefix`, for bodies of up to `limit` bytes."""
    return [
        Route(f"{prefix}/v1/{kind}", _Endpoint(kind, receiver, limit), methods=["POST"], name=f"otlp-{kind}")
        for kind in KINDS
    ]


class Direct:
    """The three endpoints by their paths, and everything else by `app`.

    A router with its middleware takes a seventh of what a request of a hundred records does.
    """

    def __init__(self, app: ASGIApp, receiver: Receiver, limit: int) -> None:
        self._app = app
        self._endpoints = {f"/v1/{kind}": _Endpoint(kind, receiver, limit) for kind in KINDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        endpoint = self._endpoints.get(scope["path"]) if scope.get("method") == "POST" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        # Who has gone away hears no answer.
        with suppress(ClientDisconnect):
            await endpoint(scope, receive, send)


class _Endpoint:
    def __init__(self, kind: str, receiver: Receiver, limit: int) -> None:
        self._kind, self._receiver, self._limit = kind, receiver, limit

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        from starlette.requests import Request

        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in (PROTOBUF, JSON):
            message = f"content-type {media!r} is not known; {PROTOBUF} and {JSON} are"
            return _failure(PROTOBUF, 415, _INVALID_ARGUMENT, message)
        try:
            body = await read_body(request, self._limit)
            take = self._receiver.receive if media == PROTOBUF else self._receiver.receive_json
            if len(body) > _LARGE:
                outcome = await asyncio.to_thread(take, self._kind, body)
            else:
                outcome = take(self._kind, body)
            await asyncio.wrap_future(outcome.written)
        except REFUSALS as error:
            return refused(media, error)
        return answered(media, outcome.protobuf() if media == PROTOBUF else outcome.json())


def answered(media: str, content: bytes) -> Response:
    """The answer to a request that was taken, which `content` says what of."""
    return Response(content, media_type=media)


def refused(media: str, error: BaseException) -> Response:
    """The answer to one that was not, as google.rpc.Status in the encoding of the request."""
    match error:
        case BodyError():
            code = _RESOURCE_EXHAUSTED if error.status == 413 else _INVALID_ARGUMENT
            return _failure(media, error.status, code, str(error))
        case BadRequestError():
            return _failure(media, 400, _INVALID_ARGUMENT, str(error))
        case OverloadedError():
            headers = {"retry-after": str(max(1, round(error.retry_after)))}
            return _failure(media, 503, _UNAVAILABLE, str(error), headers)
    return _failure(media, 500, _INTERNAL, f"this is a defect in Pilothouse: {type(error).__name__}; the log has more")


def _failure(media: str, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    if media == JSON:
        content = json.dumps({"code": code, "message": message}).encode()
    else:
        from google.rpc.status_pb2 import Status

        content = Status(code=code, message=message).SerializeToString()
    return Response(content, status, headers, media_type=media)
