"""Jaeger's query API under `/jaeger/api`, for Grafana's Jaeger data source and Jaeger's own clients."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import TimeRange
from pilothouse.signals.traces import catalogue
from pilothouse.signals.traces.answering import Handler, endpoint
from pilothouse.signals.traces.exporting import resources_of, spans_of
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse
from pilothouse.signals.traces.traceql.durations import nanoseconds
from pilothouse.signals.wire import answer, trace_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

PREFIX = "/jaeger/api"
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_TYPES = {"i": "int64", "d": "float64", "b": "bool", "x": "binary"}
_MICROSECOND, _HOUR = 1000, 3600 * 1_000_000_000


def routes(engine: Engine) -> list[Route]:
    """All endpoints."""
    handlers: dict[str, Handler] = {
        "/services": lambda engine, request: catalogue.services(engine),
        "/services/{service:path}/operations": _names,
        "/operations": _operations,
        "/traces": _search,
        "/traces/{trace_id}": _trace,
        "/dependencies": _dependencies,
    }
    return [
        Route(f"{PREFIX}{path}", endpoint(engine, handler, _failure, _found), name=f"jaeger{path}")
        for path, handler in handlers.items()
    ]


def _found(data: Any) -> Response:
    return answer({"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None})


def _failure(status: int, message: str) -> Response:
    errors = [{"code": status, "msg": message}]
    return answer({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors}, status)


def _names(engine: Engine, request: Request) -> Any:
    found = catalogue.operations(engine, request.path_params["service"])
    return sorted({name for name, _ in found})


def _operations(engine: Engine, request: Request) -> Any:
    service, kind = request.query_params.get("service", ""), request.query_params.get("spanKind", "")
    if not service:
        raise BadRequestError("parameter 'service' is required", "service")
    return operations(engine, service, kind)


def operations(engine: Engine, service: str, kind: str) -> list[dict[str, str]]:
    """A service's operations with their kinds; all of them where `kind` is empty."""
    named = [{"name": name, "spanKind": _kind(number)} for name, number in catalogue.operations(engine, service)]
    return [entry for entry in named if not kind or entry["spanKind"] == kind]


def _trace(engine: Engine, request: Request) -> Any:
    found = traces(engine, [trace_id(request.path_params["trace_id"])])
    if not found:
        raise NotFoundError("trace not found")
    return found


def _search(engine: Engine, request: Request) -> Any:
    given = request.query_params
    if ids := given.getlist("traceID"):
        return traces(engine, [trace_id(one, "traceID") for one in ids])
    if not given.get("service"):
        raise BadRequestError("parameter 'service' is required", "service")
    limit = given.get("limit") or "20"
    if not limit.isdigit() or not 1 <= int(limit) <= 1500:
        raise BadRequestError("limit: not a number from 1 to 1500", "limit")
    durations = (given.get("minDuration", ""), given.get("maxDuration", ""))
    query = parse(matching(given["service"], given.get("operation", ""), durations, _tags(given))).root
    found = find(engine, query, _within(given), int(limit), 1)  # type: ignore[arg-type]
    return traces(engine, [trace.trace_id for trace in found])


def _dependencies(engine: Engine, request: Request) -> Any:
    given = request.query_params
    end = _number(given, "endTs", time.time_ns() // 1_000_000) * 1_000_000
    length = _number(given, "lookback", 86_400_000) * 1_000_000
    edges = service_graph(engine, TimeRange(max(0, end - length), end))
    return [{"parent": edge.client, "child": edge.server, "callCount": edge.calls} for edge in edges]


def matching(service: str, operation: str, durations: tuple[str, str], tags: Mapping[str, str]) -> str:
    """TraceQL for the spans that fit; what is empty is not asked for. `durations` are the least and the most."""
    parts = [f"resource.service.name = {json.dumps(service)}"] if service else []
    if operation:
        parts.append(f"name = {json.dumps(operation)}")
    for text, field, sign in zip(durations, ("minDuration", "maxDuration"), (">=", "<="), strict=True):
        if text:
            length = nanoseconds(text)
            if length is None:
                raise BadRequestError(f"{field}: {text[:40]!r} is not a duration", field)
            parts.append(f"duration {sign} {length}ns")
    parts += [_tag(name, value) for name, value in tags.items()]
    return "{ " + " && ".join(parts) + " }"


def _tags(given: Any) -> dict[str, str]:
    found = {}
    for pair in given.getlist("tag"):
        name, _, value = pair.partition(":")
        found[name] = value
    if given.get("tags"):
        try:
            content = json.loads(given["tags"])
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise BadRequestError("tags: not an object of tags in JSON", "tags")
        found |= {str(name): str(value) for name, value in content.items()}
    return found


def _tag(name: str, value: str) -> str:
    if name == "error" and value == "true":
        return "status = error"
    if name == "span.kind" and value in _KINDS:
        return f"kind = {value}"
    field = "." + json.dumps(name, ensure_ascii=False)
    same = f"{field} = {json.dumps(value, ensure_ascii=False)}"
    plain = value in ("true", "false") or value.replace(".", "", 1).isdecimal()
    return f"({same} || {field} = {value})" if plain and value.isascii() else same


def _within(given: Any) -> TimeRange:
    """`start` and `end` in microseconds, or `lookback`; an hour when neither is given."""
    end = _number(given, "end", time.time_ns() // _MICROSECOND) * _MICROSECOND
    length = nanoseconds(given.get("lookback", "")) or _HOUR
    start = _number(given, "start", (end - length) // _MICROSECOND) * _MICROSECOND
    return TimeRange(max(0, start), min(end, 2**63 - 1))


def _number(given: Any, field: str, default: int) -> int:
    text = given.get(field) or str(default)
    if not text.isdigit() or len(text) > 16:
        raise BadRequestError(f"{field}: {text[:40]!r} is not a time", field)
    return int(text)


def traces(engine: Engine, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Traces in Jaeger's form, in the order of their ids."""
    rows = spans_of(engine, ids)
    known = resources_of(engine, {row["identity"] for row in rows})
    made: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = row["trace_id"].hex()
        trace = made.setdefault(one, {"traceID": one, "spans": [], "processes": {}, "warnings": None})
        process = f"p{row['identity']:x}"
        trace["spans"].append(_span(row, process))
        trace["processes"][process] = process_of(*known.get(row["identity"], ([], "")))
    return [made[one] for one in ids if one in made]


def process_of(pairs: Sequence[tuple[str, str]], kinds: str) -> dict[str, Any]:
    """A resource as Jaeger's process."""
    tags = [tag for tag in tags_of(pairs, kinds) if tag["key"] != "service.name"]
    return {"serviceName": dict(pairs).get("service.name", ""), "tags": tags}


def _span(row: dict[str, Any], process: str) -> dict[str, Any]:
    one = row["trace_id"].hex()
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": trace.hex(), "spanID": span.hex()}
        for trace, span in zip(row["link_trace_ids"], row["link_span_ids"], strict=True)
    ]
    if any(row["parent_span_id"]):
        references.insert(0, {"refType": "CHILD_OF", "traceID": one, "spanID": row["parent_span_id"].hex()})
    return {
        "traceID": one,
        "spanID": row["span_id"].hex(),
        "operationName": row["name"],
        "references": references,
        "startTime": row["start"] // _MICROSECOND,
        "duration": row["duration"] // _MICROSECOND,
        "tags": tags_of(row["attributes"], row["kinds"]) + own_tags(row),
        "logs": [
            {"timestamp": moment // _MICROSECOND, "fields": [_text("event", name), *tags_of(pairs, kinds)]}
            for moment, name, pairs, kinds in zip(
                row["moments"], row["event_names"], row["event_attributes"], row["event_kinds"], strict=True
            )
        ],
        "processID": process,
        "warnings": None,
    }


def own_tags(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What Jaeger has no field for."""
    made = [_text("span.kind", _kind(row["kind"]))]
    if row["status_code"] == 2:
        made += [{"key": "error", "type": "bool", "value": True}, _text("otel.status_code", "ERROR")]
    if row["status_code"] == 1:
        made.append(_text("otel.status_code", "OK"))
    for name, column in (("otel.status_description", "status_message"), ("otel.scope.name", "scope_name"),
                         ("otel.scope.version", "scope_version"), ("w3c.tracestate", "trace_state")):  # fmt: skip
        if row[column]:
            made.append(_text(name, row[column]))
    return made


def tags_of(pairs: Sequence[tuple[str, str]], kinds: str) -> list[dict[str, Any]]:
    """Stored attributes as Jaeger's tags: key, type and value, bytes in base64."""
    return [
        {"key": key, "type": _TYPES.get(kind, "string"), "value": _value(text, kind)}
        for (key, text), kind in zip(pairs, kinds, strict=True)
    ]


def _value(text: str, kind: str) -> Any:
    match kind:
        case "i":
            return int(text)
        case "d":
            return float(text)
        case "b":
            return text == "true"
        case "x":
            return base64.b64encode(base64.b64decode(text)).decode()
    return text


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "type": "string", "value": value}


def _kind(number: int) -> str:
    return _KINDS[number] if number < len(_KINDS) else _KINDS[0]
