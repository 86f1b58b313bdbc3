"""Zipkin's query API under `/zipkin/api/v2`, for Grafana's Zipkin data source."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import TimeRange
from pilothouse.signals.traces import catalogue
from pilothouse.signals.traces.answering import Handler, endpoint
from pilothouse.signals.traces.exporting import resources_of, spans_of
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse
from pilothouse.signals.wire import trace_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

PREFIX = "/zipkin/api/v2"
_KINDS = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_DAY = 86_400_000


def routes(engine: Engine) -> list[Route]:
    """All endpoints."""
    handlers: dict[str, Handler] = {
        "/services": lambda engine, request: catalogue.services(engine),
        "/spans": _names,
        "/remoteServices": _remotes,
        "/traces": _search,
        "/traceMany": _many,
        "/trace/{trace_id}": _trace,
        "/dependencies": _dependencies,
    }
    return [
        Route(f"{PREFIX}{path}", endpoint(engine, handler, _failure), methods=["GET"], name=f"zipkin{path}")
        for path, handler in handlers.items()
    ]


def _failure(status: int, message: str) -> Response:
    return PlainTextResponse(message, status)


def _names(engine: Engine, request: Request) -> Any:
    found = catalogue.operations(engine, request.query_params.get("serviceName", ""))
    return sorted({name.lower() for name, _ in found})


def _remotes(engine: Engine, request: Request) -> Any:
    service = request.query_params.get("serviceName", "")
    now = time.time_ns()
    edges = service_graph(engine, TimeRange(now - _DAY * 1_000_000, now))
    return sorted({edge.server for edge in edges if edge.client == service})


def _search(engine: Engine, request: Request) -> Any:
    given = request.query_params
    limit = _number(given, "limit", 10)
    if not 1 <= limit <= 1000:
        raise BadRequestError("limit: not a number from 1 to 1000", "limit")
    found = find(engine, parse(_question(given)).root, _within(given), limit, 1)  # type: ignore[arg-type]
    return traces(engine, [trace.trace_id for trace in found])


def _many(engine: Engine, request: Request) -> Any:
    ids = [trace_id(one.strip(), "traceIds") for one in request.query_params.get("traceIds", "").split(",")]
    return traces(engine, [one for one in ids if one])


def _trace(engine: Engine, request: Request) -> Any:
    found = traces(engine, [trace_id(request.path_params["trace_id"])])
    if not found:
        raise NotFoundError(f"{request.path_params['trace_id']} not found")
    return found[0]


def _dependencies(engine: Engine, request: Request) -> Any:
    edges = service_graph(engine, _within(request.query_params))
    return [
        {"parent": edge.client, "child": edge.server, "callCount": edge.calls, "errorCount": edge.errors}
        for edge in edges
    ]


def _question(given: Any) -> str:
    parts = []
    if given.get("serviceName"):
        parts.append(f"resource.service.name = {json.dumps(given['serviceName'])}")
    if given.get("spanName"):
        parts.append(f"name = {json.dumps(given['spanName'])}")
    if given.get("remoteServiceName"):
        parts.append(f'span."peer.service" = {json.dumps(given["remoteServiceName"])}')
    for field, sign in (("minDuration", ">="), ("maxDuration", "<=")):
        if given.get(field):
            parts.append(f"duration {sign} {_number(given, field, 0)}us")
    conditions = filter(None, given.get("annotationQuery", "").split(" and "))
    parts += [_annotation(condition.strip()) for condition in conditions]
    return "{ " + " && ".join(parts) + " }"


def _annotation(condition: str) -> str:
    name, equals, value = condition.partition("=")
    if name == "error" and not equals:
        return "status = error"
    field = "span." + json.dumps(name, ensure_ascii=False)
    if equals:
        return f"{field} = {json.dumps(value, ensure_ascii=False)}"
    return f"({field} != nil || event:name = {json.dumps(name, ensure_ascii=False)})"


def _within(given: Any) -> TimeRange:
    """`endTs` and `lookback` in milliseconds; the last day when not given."""
    end = _number(given, "endTs", time.time_ns() // 1_000_000)
    return TimeRange(max(0, end - _number(given, "lookback", _DAY)) * 1_000_000, end * 1_000_000)


def _number(given: Any, field: str, default: int) -> int:
    text = given.get(field) or str(default)
    if not text.isdigit() or len(text) > 13:
        raise BadRequestError(f"{field}: {text[:40]!r} is not a number", field)
    return int(text)


def traces(engine: Engine, ids: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Traces in Zipkin's form, in the order of their ids."""
    rows = spans_of(engine, ids)
    known = resources_of(engine, {row["identity"] for row in rows})
    services = {identity: dict(pairs).get("service.name", "") for identity, (pairs, _) in known.items()}
    made: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        made.setdefault(row["trace_id"].hex(), []).append(_span(row, services.get(row["identity"], "")))
    return [made[one] for one in ids if one in made]


def _span(row: dict[str, Any], service: str) -> dict[str, Any]:
    tags = dict(row["attributes"])
    if row["status_code"]:
        tags["otel.status_code"] = "ERROR" if row["status_code"] == 2 else "OK"
    if row["status_code"] == 2:
        tags["error"] = row["status_message"] or "true"
    if row["scope_name"]:
        tags["otel.scope.name"] = row["scope_name"]
    made: dict[str, Any] = {
        "traceId": row["trace_id"].hex(),
        "id": row["span_id"].hex(),
        "name": row["name"],
        "timestamp": row["start"] // 1000,
        "duration": max(1, row["duration"] // 1000),
        "localEndpoint": {"serviceName": service},
        "tags": tags,
        "annotations": [
            {"timestamp": moment // 1000, "value": name}
            for moment, name in zip(row["moments"], row["event_names"], strict=True)
        ],
    }
    if any(row["parent_span_id"]):
        made["parentId"] = row["parent_span_id"].hex()
    if kind := _KINDS.get(row["kind"]):
        made["kind"] = kind
    if "peer.service" in tags:
        made["remoteEndpoint"] = {"serviceName": tags["peer.service"]}
    return made
