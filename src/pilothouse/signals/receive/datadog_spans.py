"""From a Datadog span to OTLP.

A Datadog span's `resource` is what OpenTelemetry names a span by (`GET /cart/{id}`), its `name` is the kind of
operation (`web.request`), which is kept as `operation.name`; `meta` are its texts and `metrics` its numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.span_request import Plain, SpanRequest, add, add_all

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
# Where no kind is said, the type of a span tells.
_TYPES = {"web": 2, "http": 3, "db": 3, "sql": 3, "cache": 3, "redis": 3, "queue": 4, "rpc": 3, "grpc": 3}
_RESOURCE = {
    "env": "deployment.environment.name", "runtime-id": "service.instance.id", "_dd.hostname": "host.name",
}  # fmt: skip
_HEADERS = {
    "datadog-meta-lang": "telemetry.sdk.language", "datadog-meta-tracer-version": "telemetry.sdk.version",
    "datadog-container-id": "container.id",
}  # fmt: skip
_ERROR = {"error.type": "exception.type", "error.stack": "exception.stacktrace"}
_MESSAGES = ("error.message", "error.msg")
_MOST = 2**63 - 1


def of_tracer(headers: Mapping[str, str]) -> dict[str, Plain]:
    """The resource attributes that a tracer says in its request's headers."""
    found: dict[str, Plain] = {name: headers[header] for header, name in _HEADERS.items() if headers.get(header)}
    return found | {"telemetry.sdk.name": "datadog"}


class Tracer:
    """What the spans of one chunk of a trace share: resource attributes, and the upper halves of their trace ids.

    A tracer says what is the same for a chunk only on its first span; a version is that of its span's service.
    """

    def __init__(self, attributes: dict[str, Plain], spans: Any) -> None:
        self._attributes = dict(attributes)
        self._upper: dict[Any, bytes] = {}
        self._versions: dict[Any, str] = {}
        for span in spans:
            if isinstance(span, dict) and isinstance(span.get("meta"), dict):
                self._hear(span, span["meta"])

    def _hear(self, span: dict[str, Any], meta: dict[str, Any]) -> None:
        for key, name in _RESOURCE.items():
            if key in meta:
                self._attributes.setdefault(name, valid_text(str(meta[key])))
        if "version" in meta:
            self._versions.setdefault(span.get("service"), valid_text(str(meta["version"])))
        if "_dd.p.tid" in meta:
            self._upper[span.get("trace_id")] = _upper(str(meta["_dd.p.tid"]))

    def upper(self, trace_id: Any) -> bytes:
        """The upper half of a trace's id."""
        return self._upper.get(trace_id, bytes(8))

    def resource(self, service: Any) -> dict[str, Plain]:
        """The resource attributes of a service's spans."""
        named: dict[str, Plain] = {"service.name": valid_text(str(service))} if service else {}
        version = self._versions.get(service, "")
        return named | ({"service.version": version} if version else {}) | self._attributes


def add_span(request: SpanRequest, tracer: Tracer, span: Any, where: str) -> None:
    """Add a span. Raises `BadRequestError` that names the field."""
    if not isinstance(span, dict):
        raise BadRequestError(f"{where}: expected a span")
    meta = {str(key): str(value) for key, value in (span.get("meta") or {}).items()}
    for key in (*_RESOURCE, "version", "_dd.p.tid"):
        meta.pop(key, "")
    made = request.span(tracer.resource(span.get("service")))
    made.trace_id = tracer.upper(span.get("trace_id")) + _id(span, "trace_id", where)
    made.span_id = _id(span, "span_id", where)
    made.parent_span_id = _id(span, "parent_id", where) if span.get("parent_id") else b""
    made.name = valid_text(str(span.get("resource") or span.get("name") or ""))
    kind, type_ = meta.pop("span.kind", ""), str(span.get("type") or "")
    made.kind = _KINDS.get(kind) or _TYPES.get(type_, 1)
    made.start_time_unix_nano = _number(span, "start", where)
    made.end_time_unix_nano = min(_number(span, "start", where) + _number(span, "duration", where), _MOST)
    _set_error(made, span, meta)
    add_all(made.attributes, [(key, value) for key, value in (("operation.name", span.get("name")),
                                                              ("span.type", type_)) if value])  # fmt: skip
    _add_links(made, meta)
    add_all(made.attributes, meta.items())
    for key, value in (span.get("metrics") or {}).items():
        if isinstance(value, int | float):
            add(made.attributes, str(key), int(value) if float(value).is_integer() else value)


def _set_error(made: Any, span: dict[str, Any], meta: dict[str, str]) -> None:
    if not span.get("error"):
        return
    message = next(filter(None, [meta.pop(key, "") for key in _MESSAGES]), "")
    made.status.code, made.status.message = 2, valid_text(message)
    told = {name: meta.pop(key) for key, name in _ERROR.items() if key in meta}
    if told:
        event = made.events.add()
        event.name, event.time_unix_nano = "exception", made.end_time_unix_nano
        add_all(event.attributes, [("exception.message", message), *told.items()])


def _add_links(made: Any, meta: dict[str, str]) -> None:
    """Links travel as JSON in a text of the span."""
    try:
        links = json.loads(meta.get("_dd.span_links", "[]"))
        found = [(bytes.fromhex(one["trace_id"].zfill(32)), bytes.fromhex(one["span_id"].zfill(16)), one)
                 for one in links]  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError):
        return
    meta.pop("_dd.span_links", "")
    for trace, span, one in found:
        link = made.links.add()
        link.trace_id, link.span_id = trace[:16], span[:8]
        link.trace_state = valid_text(str(one.get("tracestate") or ""))
        attributes = one.get("attributes")
        add_all(link.attributes, attributes.items() if isinstance(attributes, dict) else ())


def _id(span: dict[str, Any], field: str, where: str) -> bytes:
    value = span.get(field)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise BadRequestError(f"{where}.{field}: {str(value)[:40]!r} is not a number of 64 bits")
    return value.to_bytes(8, "big")


def _upper(text: str) -> bytes:
    """The upper half of a trace id of 128 bits, in hexadecimal."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return bytes(8)
    return found if len(found) == 8 else bytes(8)


def _number(span: dict[str, Any], field: str, where: str) -> int:
    value = span.get(field) or 0
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise BadRequestError(f"{where}.{field}: {str(value)[:40]!r} is not a number of nanoseconds")
    return int(value)
