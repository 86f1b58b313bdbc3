"""Profiles over HTTP: Pyroscope's `/ingest` and `push.v1.PusherService/Push`, OTLP's `/v1development/profiles`.

What comes is decoded at the door and goes to the journal as the message of `profiles.segment`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.pprof_ingest import read_ingest
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_otlp import read_otlp
from pilothouse.signals.receive.pprof_push import read_push
from pilothouse.signals.receive.pprof_receiving import Intake, ProfileReceiver
from pilothouse.signals.wire import answer, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.profiles.model import Profile

    Reader = Callable[[Request, bytes, ProfileLimits], list[Profile]]

# Clients append to an address that may end in a slash; some are given the server's root.
_PREFIXES = ("/pyroscope", "/pyroscope/", "")
_JSON, _PROTOBUF = "application/json", ("application/proto", "application/protobuf", "application/x-protobuf")


def routes(intake: Intake, limits: ProfileLimits | int | None = None) -> list[Route]:
    """The endpoints, which journal through `intake`; a number limits the bytes of a body, and its unpacked twice."""
    if isinstance(limits, int):
        limits = ProfileLimits.of_request(limits)
    receiver = ProfileReceiver(intake, limits or ProfileLimits())
    ingest, push = _endpoint(receiver, _read_ingest), _endpoint(receiver, _read_push)
    return [
        *(Route(f"{prefix}/ingest", ingest, methods=["POST"]) for prefix in _PREFIXES),
        *(Route(f"{prefix}/push.v1.PusherService/Push", push, methods=["POST"]) for prefix in _PREFIXES),
        *otlp_routes(receiver, "/otlp"),
        *otlp_routes(receiver),
    ]


def otlp_routes(receiver: ProfileReceiver, prefix: str = "") -> list[Route]:
    """OTLP's endpoint below `prefix`."""
    return [Route(f"{prefix}/v1development/profiles", _endpoint(receiver, _read_otlp), methods=["POST"])]


def _read_ingest(request: Request, body: bytes, limits: ProfileLimits) -> list[Profile]:
    return [read_ingest(dict(request.query_params), request.headers.get("content-type", ""), body, limits)]


def _read_push(request: Request, body: bytes, limits: ProfileLimits) -> list[Profile]:
    return read_push(body, _is_json(request), limits)


def _read_otlp(request: Request, body: bytes, limits: ProfileLimits) -> list[Profile]:
    return read_otlp(body, _is_json(request), limits)


def _is_json(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (_JSON, *_PROTOBUF):
        raise BodyError(415, f"content-type {media!r} is not known; {_PROTOBUF[-1]} and {_JSON} are")
    return media == _JSON


def _endpoint(receiver: ProfileReceiver, reader: Reader) -> Callable[[Request], object]:
    """200 when the profiles are on disk, or why not, in the words of both a Connect error and our own."""

    async def handle(request: Request) -> Response:
        try:
            body = await read_body(request, receiver.limits.body_bytes)
            written = await waiting(receiver.take, lambda: reader(request, body, receiver.limits))
            await asyncio.wrap_future(written)
        except BodyError as error:
            # A body that is too large is a bad request like the others: waiting does not make it smaller.
            return _failure(400 if error.status == 413 else error.status, "invalid_argument", str(error))
        except BadRequestError as error:
            return _failure(400, "invalid_argument", str(error), error.field)
        except OverloadedError as error:
            return _failure(503, "unavailable", str(error), retry_after=error.retry_after)
        # An empty message, which is what Connect and OTLP both answer.
        media = request.headers.get("content-type", "")
        return Response(b"{}" if media.startswith(_JSON) else b"", headers={"content-type": media} if media else None)

    return handle


def _failure(status: int, code: str, message: str, field: str = "", retry_after: float = 0) -> Response:
    own = {"code": "bad_request" if status < 500 else "unavailable", "message": message, "field": field}
    response = answer({"code": code, "message": message, "error": own}, status)
    if retry_after:
        response.headers["retry-after"] = str(max(1, round(retry_after)))
    return response
