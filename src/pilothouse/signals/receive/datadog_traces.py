"""Datadog's trace agent: `/v0.3/traces`, `/v0.4/traces` and `/v0.5/traces`, and `/info` by which tracers find out.

A tracer sends traces as lists of spans in MessagePack (or JSON); in version 0.5 texts are numbers into a table.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgpack
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.datadog_spans import Tracer, add_span, of_tracer
from pilothouse.signals.receive.span_pushes import media_type, push
from pilothouse.signals.receive.span_request import SpanRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

_PATHS = ("/v0.3/traces", "/v0.4/traces", "/v0.5/traces")
_FIELDS = (
    "service", "name", "resource", "trace_id", "span_id", "parent_id", "start", "duration", "error", "meta", "metrics",
    "type",
)  # fmt: skip
_TEXTS = ("service", "name", "resource", "type")


def routes(receiver: Receiver, limit: int) -> list[Route]:
    """The intake at the agent's own addresses and below `/datadog`."""

    async def info(request: Request) -> Response:
        return JSONResponse({"version": "7.60.0", "endpoints": list(_PATHS), "client_drop_p0s": False})

    made = []
    for prefix in ("", "/datadog"):
        for path in _PATHS:
            read = _read_v5 if path == "/v0.5/traces" else _read
            endpoint = push(receiver, limit, _reader(read), _answer)
            made.append(Route(prefix + path, endpoint, methods=["PUT", "POST"], name=f"datadog{prefix}{path}"))
        made.append(Route(f"{prefix}/info", info, name=f"datadog{prefix}/info"))
    return made


def _answer() -> Response:
    # What share of traces a tracer is to send: all.
    return JSONResponse({"rate_by_service": {"service:,env:": 1}})


def _reader(read: Callable[[Any], list[Any]]) -> Callable[[bytes, Request], SpanRequest]:
    def made(body: bytes, request: Request) -> SpanRequest:
        spans = SpanRequest()
        shared = of_tracer(request.headers)
        try:
            for place, trace in enumerate(read(_content(body, media_type(request)))):
                tracer = Tracer(shared, trace or ())
                for number, span in enumerate(trace or ()):
                    add_span(spans, tracer, span, f"[{place}][{number}]")
        except (TypeError, AttributeError, KeyError, IndexError) as error:
            raise BadRequestError(f"the body is not a list of traces: {error}") from None
        return spans

    return made


def _content(body: bytes, media: str) -> Any:
    try:
        if media == "application/json":
            return json.loads(body)
        return msgpack.unpackb(body, strict_map_key=False, unicode_errors="replace")
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise BadRequestError(f"the body does not parse: {error}") from None


def _read(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise BadRequestError("the body is not a list of traces")
    return content


def _read_v5(content: Any) -> list[Any]:
    if not isinstance(content, list) or len(content) != 2:
        raise BadRequestError("the body is not a table of texts and a list of traces")
    texts, traces = content
    return [[_named(span, texts) for span in trace] for trace in traces]


def _named(span: list[Any], texts: list[str]) -> dict[str, Any]:
    found = dict(zip(_FIELDS, span, strict=False))
    for field in _TEXTS:
        found[field] = texts[found.get(field, 0)]
    found["meta"] = {texts[key]: texts[value] for key, value in (found.get("meta") or {}).items()}
    found["metrics"] = {texts[key]: value for key, value in (found.get("metrics") or {}).items()}
    return found
