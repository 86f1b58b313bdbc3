"""Jaeger's collector over HTTP: `POST /api/traces` with a Thrift Batch (jaeger.thrift)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.jaeger_spans import JaegerSpan, Reference, Tags, add_span, resource_of
from pilothouse.signals.receive.span_pushes import media_type, push
from pilothouse.signals.receive.span_request import Plain, SpanRequest
from pilothouse.signals.receive.thrift_reading import Struct, read_struct

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.receive.otlp import Receiver

_MEDIA = ("application/x-thrift", "application/vnd.apache.thrift.binary")
_MICROSECOND = 1000
# The members of a Tag by its type: text, double, bool, whole number, bytes.
_MEMBERS = {0: 3, 1: 4, 2: 5, 3: 6, 4: 7}


def routes(receiver: Receiver, limit: int) -> list[Route]:
    """The endpoint, at Jaeger's own address and below `/jaeger`."""
    endpoint = push(receiver, limit, read, lambda: Response(status_code=202))
    return [
        Route(path, endpoint, methods=["POST"], name=f"jaeger-push{path}")
        for path in ("/jaeger/api/traces", "/api/traces")
    ]


def read(body: bytes, request: Request) -> SpanRequest:
    """The spans of a body."""
    if media_type(request) not in _MEDIA:
        raise BadRequestError(f"content-type {media_type(request)!r} is not known; {_MEDIA[0]} is")
    return batch(read_struct(body))


def batch(found: Struct) -> SpanRequest:
    """The spans of a Batch."""
    made = SpanRequest()
    process, spans = found.get(1), found.get(2)
    if not isinstance(process, dict) or not isinstance(spans, list):
        raise BadRequestError("the body is not a Jaeger Batch: it has no process or no list of spans")
    try:
        resource = resource_of(_text(process.get(1)), _tags(process.get(2)))
        for span in spans:
            add_span(made, resource, _span(span))
    except (TypeError, AttributeError, OverflowError) as error:
        raise BadRequestError(f"the body is not a Jaeger Batch: {error}") from None
    return made


def _span(span: Struct) -> JaegerSpan:
    parent = span.get(4, 0)
    return JaegerSpan(
        trace_id=_id(span.get(2, 0)) + _id(span.get(1, 0)),
        span_id=_id(span.get(3, 0)),
        parent_span_id=_id(parent) if parent else b"",
        name=_text(span.get(5)),
        start=span.get(8, 0) * _MICROSECOND,
        duration=span.get(9, 0) * _MICROSECOND,
        flags=span.get(7, 0) & 0xFFFFFFFF,
        references=[
            Reference(_id(one.get(3, 0)) + _id(one.get(2, 0)), _id(one.get(4, 0)), one.get(1, 0) == 0)
            for one in span.get(6, ())
        ],
        tags=_tags(span.get(10)),
        logs=[(log.get(1, 0) * _MICROSECOND, _tags(log.get(2))) for log in span.get(11, ())],
    )


def _tags(found: Any) -> Tags:
    return [(_text(tag.get(1)), _value(tag)) for tag in found or ()]


def _value(tag: Struct) -> Plain:
    kind = tag.get(2, 0)
    value = tag.get(_MEMBERS.get(kind, 3))
    if kind == 0 or value is None:
        return _text(value)
    return value  # type: ignore[no-any-return]


def _id(number: int) -> bytes:
    return (number & (2**64 - 1)).to_bytes(8, "big")


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""
