"""From a Jaeger span, whatever it came by, to OTLP (OpenTelemetry specification, "Jaeger" compatibility)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pilothouse.signals.receive.log_requests import valid_text
from pilothouse.signals.receive.span_request import Plain, SpanRequest, add_all

Tags = list[tuple[str, Plain]]
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUSES = {"OK": 1, "ERROR": 2}
# What a Jaeger client says of its process, as OpenTelemetry names it.
_PROCESS = {"hostname": "host.name", "client-uuid": "service.instance.id"}
_SCOPE_NAME, _SCOPE_VERSION = ("otel.scope.name", "otel.library.name"), ("otel.scope.version", "otel.library.version")
_MOST_NANOSECONDS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Reference:
    """Another span; `child` is whether this span is its child (CHILD_OF), and not only follows from it."""

    trace_id: bytes
    span_id: bytes
    child: bool


@dataclass(frozen=True, slots=True)
class JaegerSpan:
    """A span in Jaeger's model; times in nanoseconds."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    start: int
    duration: int
    flags: int = 0
    references: Sequence[Reference] = ()
    tags: Tags = field(default_factory=list)
    logs: Sequence[tuple[int, Tags]] = ()


def resource_of(service: str, tags: Tags) -> dict[str, Plain]:
    """The resource attributes of a Jaeger process."""
    named = {"service.name": service} if service else {}
    return named | {_PROCESS.get(key, key): value for key, value in tags}


def add_span(request: SpanRequest, resource: dict[str, Plain], span: JaegerSpan) -> None:
    """Add a span of a process."""
    tags = dict(span.tags)
    made = request.span(resource, _taken(tags, _SCOPE_NAME), _taken(tags, _SCOPE_VERSION))
    made.trace_id, made.span_id, made.name = span.trace_id, span.span_id, valid_text(span.name)
    made.flags = span.flags & 1
    made.start_time_unix_nano = _time(span.start)
    made.end_time_unix_nano = _time(_time(span.start) + max(0, span.duration))
    made.kind = _KINDS.get(str(tags.pop("span.kind", "")).lower(), 1)
    made.trace_state = valid_text(str(tags.pop("w3c.tracestate", "")))
    parent = span.parent_span_id
    for reference in span.references:
        if reference.child and reference.trace_id == span.trace_id and parent in (b"", reference.span_id):
            parent = reference.span_id
            continue
        link = made.links.add()
        link.trace_id, link.span_id = reference.trace_id, reference.span_id
        kind = "child_of" if reference.child else "follows_from"
        add_all(link.attributes, [("opentracing.ref_type", kind)])
    made.parent_span_id = parent
    _set_status(made.status, tags)
    add_all(made.attributes, tags.items())
    for time, fields in span.logs:
        event = made.events.add()
        event.time_unix_nano = _time(time)
        told = dict(fields)
        event.name = valid_text(str(told.pop("event", "") or told.pop("message", "")))
        add_all(event.attributes, told.items())


def _set_status(status: object, tags: dict[str, Plain]) -> None:
    code = str(tags.pop("otel.status_code", "")).upper()
    failed = tags.get("error") in (True, "true")
    status.code = _STATUSES.get(code, 2 if failed else 0)  # type: ignore[attr-defined]
    status.message = valid_text(str(tags.pop("otel.status_description", "")))  # type: ignore[attr-defined]
    if failed:
        del tags["error"]


def _time(nanoseconds: int) -> int:
    return min(max(0, nanoseconds), _MOST_NANOSECONDS)


def _taken(tags: dict[str, Plain], names: tuple[str, ...]) -> str:
    return next(filter(None, [str(tags.pop(name, "")) for name in names]), "")
