"""Zipkin's spans over HTTP: `/api/v2/spans` in JSON and protobuf, `/api/v1/spans` in JSON (Zipkin API)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from starlette.responses import Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.span_pushes import media_type, push
from pilothouse.signals.receive.span_request import SpanRequest
from pilothouse.signals.receive.zipkin_messages import spans_of
from pilothouse.signals.receive.zipkin_reading import read_span
from pilothouse.signals.receive.zipkin_v1 import read_v1

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

_PROTOBUF = ("application/x-protobuf", "application/protobuf")
Reader = Callable[[list[Any]], SpanRequest]


def routes(receiver: Receiver, limit: int) -> list[Route]:
    """The endpoints, at Zipkin's own address and below `/zipkin`, for bodies of up to `limit` bytes."""
    made = []
    for prefix in ("/zipkin", ""):
        for version, reader in (("v2", _read_v2), ("v1", _read_v1)):
            path = f"{prefix}/api/{version}/spans"
            endpoint = push(receiver, limit, _body_reader(reader), lambda: Response(status_code=202))
            made.append(Route(path, endpoint, methods=["POST"], name=f"zipkin-push{path}"))
    return made


def _body_reader(reader: Reader) -> Callable[[bytes, Request], SpanRequest]:
    return lambda body, request: reader(_protobuf(body) if media_type(request) in _PROTOBUF else _json(body))


def _json(body: bytes) -> list[Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(content, list):
        raise BadRequestError("the body is not a list of spans")
    return content


def _protobuf(body: bytes) -> list[Any]:
    try:
        return spans_of(body)
    except DecodeError:
        raise BadRequestError("the body does not parse as zipkin.proto3.ListOfSpans") from None


def _read_v2(spans: list[Any]) -> SpanRequest:
    made = SpanRequest()
    for place, span in enumerate(spans):
        read_span(made, span, f"[{place}]")
    return made


def _read_v1(spans: list[Any]) -> SpanRequest:
    made = SpanRequest()
    for place, span in enumerate(spans):
        for converted in read_v1(span, f"[{place}]"):
            read_span(made, converted, f"[{place}]")
    return made
