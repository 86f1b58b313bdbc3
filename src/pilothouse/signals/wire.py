"""What the HTTP handlers of all rooms share: reading parameters, waiting for the engine, answering JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.responses import Response

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import TimeRange, parse_range

if TYPE_CHECKING:
    from starlette.requests import Request

P = ParamSpec("P")
T = TypeVar("T")


class _StorableInteger(IntegerConvertor):
    """What `{name:int}` takes in a path: 18 digits fit into the integers of databases; what has more is not there."""

    regex = "[0-9]{1,18}"


register_url_convertor("int", _StorableInteger())


def answer(content: Any, status: int = 200) -> Response:
    """A JSON answer; numbers that JSON cannot say (NaN, infinities) become null."""
    text = json.dumps(_sayable(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status, media_type="application/json")


def only(request: Request, *known: str) -> None:
    """Refuse a parameter that this call does not know, so that a typing error is not silently ignored."""
    for name in request.query_params:
        if name not in known:
            raise BadRequestError(f"{name}: no such parameter; known are {', '.join(known)}", name)


def wanted(request: Request, name: str) -> str:
    """A parameter that must be there."""
    value = request.query_params.get(name, "")
    if not value:
        raise BadRequestError(f"{name}: this parameter is needed", name)
    return value


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadRequestError(f"{name}: {text!r} is not a whole number", name) from None
    if not least <= value <= most:
        raise BadRequestError(f"{name}: {value} is not between {least} and {most}", name)
    return value


def time_range(request: Request, default: str = "1h") -> TimeRange:
    """The range of `start`, `end` and `since`."""
    query = request.query_params
    return parse_range(query.get("start"), query.get("end"), query.get("since"), default)


def trace_id(text: str, field: str = "trace_id") -> str:
    """A trace id in hexadecimal, filled up to 32 digits as Jaeger and Zipkin shorten it; empty stays empty."""
    if text and not (len(text) <= 32 and all(digit in "0123456789abcdefABCDEF" for digit in text)):
        raise BadRequestError(f"{field}: {text[:40]!r} is not a trace id of 32 hexadecimal digits", field)
    return text.lower().zfill(32) if text else ""


async def waiting(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call (the engine's) in a thread."""
    return await asyncio.to_thread(call, *args, **kwargs)


async def body_within(request: Request, limit: int) -> bytes | None:
    """The body as it came; None, and no more of it is read, when it is larger than `limit` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


async def json_body(request: Request, limit: int = 1_000_000) -> dict[str, Any]:
    """The JSON object that a request brings; raises `BadRequestError` for anything else.

    Only `application/json` is taken: a page of another origin cannot send that without asking first.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise BadRequestError("content-type: send the body as application/json", "content-type")
    body = await body_within(request, limit)
    if body is None:
        raise BadRequestError(f"the body is larger than {limit:,} bytes")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(content, dict):
        raise BadRequestError("the body is not a JSON object")
    return content


def _sayable(content: Any) -> Any:
    if isinstance(content, float):
        return content if content - content == 0 else None
    if isinstance(content, dict):
        return {key: _sayable(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_sayable(item) for item in content]
    return content
