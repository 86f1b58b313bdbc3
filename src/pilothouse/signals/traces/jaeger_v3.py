"""Jaeger's query API v3 under `/jaeger/api/v3`: traces as OTLP, wrapped as its gRPC gateway wraps them.

Parameters are taken in camel case, as Jaeger names them now (`query.serviceName`), and in snake case, as it did until
2.10 (jaegertracing/jaeger-idl, `proto/api_v3/query_service.proto`). Ids are hexadecimal, as OTLP's JSON has them.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import TimeRange, parse_instant
from pilothouse.signals.traces import catalogue
from pilothouse.signals.traces.answering import Handler, endpoint
from pilothouse.signals.traces.exporting import otlp_of
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.jaeger import matching, operations
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse
from pilothouse.signals.wire import answer, trace_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

PREFIX = "/jaeger/api/v3"
_IDS = ("traceId", "spanId", "parentSpanId")
MOST, LIMIT = 1500, 100
_GRPC = {400: 3, 404: 5, 422: 8}


def routes(engine: Engine) -> list[Route]:
    """All endpoints."""
    handlers: dict[str, Handler] = {
        "/services": lambda engine, request: {"services": catalogue.services(engine)},
        "/operations": _operations,
        "/dependencies": _dependencies,
        "/traces": _search,
        "/traces/{trace_id}": _trace,
    }
    return [
        Route(f"{PREFIX}{path}", endpoint(engine, handler, _failure), name=f"jaeger v3 {path}")
        for path, handler in handlers.items()
    ]


def _failure(status: int, message: str) -> Response:
    return answer({"error": {"grpcCode": _GRPC[status], "httpCode": status, "message": message}}, status)


def _operations(engine: Engine, request: Request) -> Any:
    service, kind = request.query_params.get("service", ""), _given(request, "", "spanKind")
    if not service:
        raise BadRequestError("parameter 'service' is required", "service")
    return {"operations": operations(engine, service, kind)}


def _dependencies(engine: Engine, request: Request) -> Any:
    found = service_graph(engine, _within(request, "", "startTime", "endTime"))
    # A whole number of 64 bits is a text in protobuf's JSON.
    return {
        "dependencies": [{"parent": edge.client, "child": edge.server, "callCount": str(edge.calls)} for edge in found]
    }


def _trace(engine: Engine, request: Request) -> Any:
    return _wrapped(engine, [trace_id(request.path_params["trace_id"])])


def _search(engine: Engine, request: Request) -> Any:
    limit = _given(request, "query.", "searchDepth") or _given(request, "query.", "numTraces") or str(LIMIT)
    if not limit.isdigit() or not 1 <= int(limit) <= MOST:
        raise BadRequestError(f"query.searchDepth: not a number from 1 to {MOST}", "query.searchDepth")
    text = matching(
        _given(request, "query.", "serviceName"),
        _given(request, "query.", "operationName"),
        (_given(request, "query.", "durationMin"), _given(request, "query.", "durationMax")),
        _attributes(_given(request, "query.", "attributes")),
    )
    found = find(engine, parse(text).root, _within(request), int(limit), 1)  # type: ignore[arg-type]
    return _wrapped(engine, [one.trace_id for one in found])


def _within(
    request: Request, prefix: str = "query.", first: str = "startTimeMin", last: str = "startTimeMax"
) -> TimeRange:
    times = []
    for name in (first, last):
        text = _given(request, prefix, name)
        if not text:
            raise BadRequestError(f"{prefix}{first} and {prefix}{last} are required, as RFC 3339", f"{prefix}{name}")
        times.append(parse_instant(text, 0, f"{prefix}{name}"))
    if times[0] >= times[1]:
        raise BadRequestError(f"{prefix}{first} must be before {prefix}{last}", f"{prefix}{first}")
    return TimeRange(*times)


def _attributes(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise BadRequestError("query.attributes: not an object of attributes in JSON", "query.attributes")
    return {str(name): str(value) for name, value in content.items()}


def _given(request: Request, prefix: str, name: str) -> str:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return request.query_params.get(prefix + name) or request.query_params.get(prefix + snake) or ""


def _wrapped(engine: Engine, ids: list[str]) -> dict[str, Any]:
    data = otlp_of(engine, ids)
    if not data.resource_spans:
        raise NotFoundError("No traces found")
    return {"result": _json(data)}


def _json(data: TracesData) -> Any:
    """OTLP's JSON: protobuf's, but for the ids and the enumerations."""
    made = json_format.MessageToDict(data, use_integers_for_enums=True)
    for of_resource in made["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                for one in (span, *span.get("links", ())):
                    one.update({name: base64.b64decode(one[name]).hex() for name in _IDS if name in one})
    return made
