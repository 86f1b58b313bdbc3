"""`POST /loki/api/v1/push`: protobuf in snappy, or JSON (Loki HTTP API, "Ingest logs")."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.decoding import BodyError, read_body
from pilothouse.signals.receive.log_requests import LogRequest, attribute_of, valid_text

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.loki_streams import LokiReceiver
    from pilothouse.signals.receive.otlp import Outcome, Receiver

_PATHS = ("/loki/api/v1/push", "/api/prom/push")


def routes(receiver: Receiver, streams: LokiReceiver, limit: int) -> list[Route]:
    """The endpoint, for bodies of up to `limit` bytes, unpacked; `streams` takes protobuf."""

    async def packed(body: bytes) -> Outcome | None:
        outcome = await asyncio.to_thread(lambda: streams.receive(unsnapped(body, limit)))
        if outcome:
            await asyncio.wrap_future(outcome.written)
        return outcome

    async def push(request: Request) -> Response:
        try:
            body = await read_body(request, limit)
            is_json = request.headers.get("content-type", "").startswith("application/json")
            outcome = await (from_json(body).send(receiver) if is_json else packed(body))
        except BodyError as error:
            return PlainTextResponse(str(error), error.status)
        except BadRequestError as error:
            return PlainTextResponse(str(error), 400)
        except OverloadedError as error:
            return PlainTextResponse(str(error), 503, {"retry-after": str(max(1, round(error.retry_after)))})
        if outcome and outcome.rejected:
            # The others are kept; Loki answers in the same way.
            return PlainTextResponse(f"{outcome.rejected} lines were refused: {outcome.message}", 400)
        return Response(status_code=204)

    return [Route(path, push, methods=["POST"], name=f"loki-push{path}") for path in _PATHS]


def unsnapped(body: bytes, limit: int) -> bytes:
    """The plain bytes of a snappy block; raises `BadRequestError`."""
    import cramjam

    try:
        if cramjam.snappy.decompress_raw_len(body) > limit:
            raise BadRequestError(f"the body decompresses to more than {limit} bytes")
        return bytes(cramjam.snappy.decompress_raw(body))
    except (cramjam.DecompressionError, OverflowError):
        raise BadRequestError("the body is not in snappy's block format") from None


def from_json(body: bytes) -> LogRequest:
    """A push as JSON; raises `BadRequestError` that names the place."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    made = LogRequest()
    for place, stream in enumerate(_list(content, "streams", "the body")):
        where = f"streams[{place}]"
        labels = stream.get("stream") if isinstance(stream, dict) else None
        if not isinstance(labels, dict):
            raise BadRequestError(f"{where}: expected an object with stream and values")
        target = made.stream({attribute_of(str(name)): valid_text(str(value)) for name, value in labels.items()})
        for number, value in enumerate(_list(stream, "values", where)):
            time, line, metadata = _value(value, f"{where}.values[{number}]")
            target.add(time, line, metadata)
    return made


def _value(value: Any, where: str) -> tuple[int, str, dict[str, str]]:
    if not isinstance(value, list) or not 2 <= len(value) <= 3 or not isinstance(value[1], str):
        raise BadRequestError(f'{where}: expected ["nanoseconds", "line"] or ["nanoseconds", "line", {{...}}]')
    if not str(value[0]).isdigit() or int(value[0]) >= 2**63:
        raise BadRequestError(f"{where}: {value[0]!r} is not a time in nanoseconds")
    metadata = value[2] if len(value) == 3 else {}
    if not isinstance(metadata, dict):
        raise BadRequestError(f"{where}: structured metadata is not an object")
    return int(value[0]), valid_text(value[1]), {valid_text(str(k)): valid_text(str(v)) for k, v in metadata.items()}


def _list(content: Any, name: str, where: str) -> list[Any]:
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise BadRequestError(f"{where}: expected an object with a list of {name}")
    return found
