"""From a Zipkin span (the form of v2) to OTLP, as the OpenTelemetry specification maps them."""

from __future__ import annotations

from typing import Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.span_request import SpanRequest, add

_KINDS = {"": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_STATUSES = {"OK": 1, "ERROR": 2}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_MOST_MICROSECONDS = 2**63 // 1000
# Tags in which an OpenTelemetry exporter keeps what Zipkin has no place for.
_SCOPE_NAME, _SCOPE_VERSION = ("otel.scope.name", "otel.library.name"), ("otel.scope.version", "otel.library.version")


def read_span(request: SpanRequest, span: Any, where: str) -> None:
    """Add a span. Raises `BadRequestError` that names the field."""
    if not isinstance(span, dict):
        raise BadRequestError(f"{where}: expected an object")
    tags = {str(key): valid_text(str(value)) for key, value in _object(span, "tags", where).items()}
    local = _object(span, "localEndpoint", where)
    scope, version = _taken(tags, _SCOPE_NAME), _taken(tags, _SCOPE_VERSION)
    service = valid_text(str(local.get("serviceName") or ""))
    made = request.span({"service.name": service} if service else {}, scope, version)
    made.trace_id = _identifier(span, "traceId", where, 32, needed=True)
    made.span_id = _identifier(span, "id", where, 16, needed=True)
    made.parent_span_id = _identifier(span, "parentId", where, 16)
    made.name = valid_text(str(span.get("name") or ""))
    kind = str(span.get("kind") or "").upper()
    if kind not in _KINDS:
        raise BadRequestError(f"{where}.kind: {kind[:40]!r} is none of {', '.join(filter(None, _KINDS))}")
    made.kind = _KINDS[kind]
    start = _microseconds(span, "timestamp", where)
    made.start_time_unix_nano = start * 1000
    made.end_time_unix_nano = min(start + _microseconds(span, "duration", where), _MOST_MICROSECONDS - 1) * 1000
    _set_status(made, tags)
    _add_attributes(made, tags, local, _object(span, "remoteEndpoint", where))
    for place, note in enumerate(_list(span, "annotations", where)):
        _add_event(made, note, f"{where}.annotations[{place}]")


def _set_status(made: Any, tags: dict[str, str]) -> None:
    code, words = tags.pop("otel.status_code", ""), tags.pop("otel.status_description", "")
    made.status.code = _STATUSES.get(code, 2 if tags.get("error", "false") != "false" else 0)
    if made.status.code == 2:
        error = tags.pop("error", "")
        made.status.message = words or ("" if error == "true" else error)


def _add_attributes(made: Any, tags: dict[str, str], local: dict[str, Any], remote: dict[str, Any]) -> None:
    for key, value in tags.items():
        add(made.attributes, key, value)
    for endpoint, names in ((local, ("network.local.address", "network.local.port")),
                            (remote, ("network.peer.address", "network.peer.port"))):  # fmt: skip
        address = endpoint.get("ipv4") or endpoint.get("ipv6")
        if address and names[0] not in tags:
            add(made.attributes, names[0], valid_text(str(address)))
        port = endpoint.get("port")
        if isinstance(port, int) and 0 < port < 65536 and names[1] not in tags:
            add(made.attributes, names[1], port)
    if remote.get("serviceName") and "peer.service" not in tags:
        add(made.attributes, "peer.service", valid_text(str(remote["serviceName"])))


def _add_event(made: Any, note: Any, where: str) -> None:
    if not isinstance(note, dict):
        raise BadRequestError(f"{where}: expected an object with timestamp and value")
    event = made.events.add()
    event.time_unix_nano = _microseconds(note, "timestamp", where) * 1000
    event.name = valid_text(str(note.get("value") or ""))


def _taken(tags: dict[str, str], names: tuple[str, ...]) -> str:
    return next(filter(None, [tags.pop(name, "") for name in names]), "")


def _identifier(span: dict[str, Any], field: str, where: str, digits: int, needed: bool = False) -> bytes:
    text = str(span.get(field) or "")
    if not text and not needed:
        return b""
    if not 1 <= len(text) <= digits or not set(text) <= _HEXADECIMAL:
        raise BadRequestError(f"{where}.{field}: {text[:40]!r} is not an id of up to {digits} hexadecimal digits")
    return bytes.fromhex(text.zfill(digits))


def _microseconds(span: dict[str, Any], field: str, where: str) -> int:
    value = span.get(field) or 0
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < _MOST_MICROSECONDS:
        raise BadRequestError(f"{where}.{field}: {str(value)[:40]!r} is not a number of microseconds")
    return int(value)


def _object(span: dict[str, Any], field: str, where: str) -> dict[str, Any]:
    found = span.get(field) or {}
    if not isinstance(found, dict):
        raise BadRequestError(f"{where}.{field}: expected an object")
    return found


def _list(span: dict[str, Any], field: str, where: str) -> list[Any]:
    found = span.get(field) or []
    if not isinstance(found, list):
        raise BadRequestError(f"{where}.{field}: expected a list")
    return found
