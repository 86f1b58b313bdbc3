"""What the HTTP intakes for spans of other protocols share: read a body, take the spans, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.decoding import BodyError, read_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver
    from pilothouse.signals.receive.span_request import SpanRequest

Reader = Callable[[bytes, "Request"], "SpanRequest"]
Answer = Callable[[], Response]


def push(receiver: Receiver, limit: int, read: Reader, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint: `read` makes spans of a body (`BadRequestError` says what is wrong), `answer` is for success."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await read_body(request, limit)
            outcome = await asyncio.to_thread(lambda: receiver.receive("traces", read(body, request).body()))
            await asyncio.wrap_future(outcome.written)
        except BodyError as error:
            return PlainTextResponse(str(error), error.status)
        except BadRequestError as error:
            return PlainTextResponse(str(error), 400)
        except OverloadedError as error:
            return PlainTextResponse(str(error), 503, {"retry-after": str(max(1, round(error.retry_after)))})
        if outcome.rejected:
            return PlainTextResponse(f"{outcome.rejected} spans were refused: {outcome.message}", 400)
        return answer()

    return endpoint


def media_type(request: Request) -> str:
    """The content type without its parameters."""
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()
