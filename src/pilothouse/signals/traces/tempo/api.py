"""The endpoints of Tempo's API (Tempo documentation, "Tempo HTTP API"), for Grafana's Tempo data source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.engine import BudgetExceededError, CancelledError, EngineUnavailableError, QueryError
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.traces.exporting import otlp
from pilothouse.signals.traces.series.measuring import Question, series_of
from pilothouse.signals.traces.series.series import Steps
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.summaries import summaries
from pilothouse.signals.traces.tempo import answers, asking, tags
from pilothouse.signals.traces.tempo.summary import summary
from pilothouse.signals.wire import answer, trace_id, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine

PREFIX = "/tempo"
_PROTOBUF = "application/protobuf"
Handler = Callable[["Engine", "Request"], Any]


def routes(engine: Engine) -> list[Route]:
    """All endpoints."""
    handlers: dict[str, Handler] = {
        "/api/traces/{trace_id}": _trace,
        "/api/v2/traces/{trace_id}": _trace_v2,
        "/api/search": _search,
        "/api/search/tags": _tags,
        "/api/v2/search/tags": _tags_v2,
        "/api/search/tag/{tag:path}/values": _values,
        "/api/v2/search/tag/{tag:path}/values": _values_v2,
        "/api/metrics/query_range": _query_range,
        "/api/metrics/query": _query,
        "/api/metrics/summary": _summary,
        "/api/status/buildinfo": _build,
    }
    made = [
        Route(f"{PREFIX}{path}", _endpoint(engine, handler), methods=["GET"], name=f"tempo{path}")
        for path, handler in handlers.items()
    ]
    said = {"/api/echo": "echo", "/ready": "ready\n"}
    return made + [Route(f"{PREFIX}{path}", _saying(text), name=f"tempo{path}") for path, text in said.items()]


def _endpoint(engine: Engine, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            made = await waiting(handler, engine, request)
        except (BadRequestError, QueryError) as error:
            return PlainTextResponse(str(error), 400)
        except NotFoundError as error:
            return PlainTextResponse(str(error), 404)
        except BudgetExceededError as error:
            return PlainTextResponse(f"the query takes more than it may: {error}; ask for a shorter range", 422)
        except (EngineUnavailableError, CancelledError) as error:
            return PlainTextResponse(str(error), 503)
        return made if isinstance(made, Response) else answer(made)

    return endpoint


def _saying(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def say(request: Request) -> Response:
        return PlainTextResponse(text)

    return say


def _trace(engine: Engine, request: Request) -> Any:
    data = otlp(engine, trace_id(request.path_params["trace_id"]))
    if _wants_protobuf(request):
        return Response(data.SerializeToString(), media_type=_PROTOBUF)
    return {"batches": json_format.MessageToDict(data).get("resourceSpans", [])}


def _trace_v2(engine: Engine, request: Request) -> Any:
    data = otlp(engine, trace_id(request.path_params["trace_id"]))
    if _wants_protobuf(request):
        body = data.SerializeToString()
        # TraceByIDResponse: the trace is field 1.
        return Response(b"\x0a" + _varint(len(body)) + body, media_type=_PROTOBUF)
    return {"trace": json_format.MessageToDict(data), "metrics": {}}


def _search(engine: Engine, request: Request) -> Any:
    given = request.query_params
    limit, spans = asking.number(given, "limit", 20, 5000), asking.number(given, "spss", 3, 1000)
    found = find(engine, asking.search_query(given), asking.within(given), max(1, limit), spans)
    known = summaries(engine, [trace.trace_id for trace in found])
    return {
        "traces": answers.traces(found, known),
        "metrics": {"inspectedTraces": len(found), "completedJobs": 1, "totalJobs": 1},
    }


def _tags(engine: Engine, request: Request) -> Any:
    scopes = _scopes(engine, request)
    return {"tagNames": sorted({tag for scope in scopes for tag in scope["tags"] if scope["name"] != "intrinsic"})}


def _tags_v2(engine: Engine, request: Request) -> Any:
    return {"scopes": _scopes(engine, request)}


def _scopes(engine: Engine, request: Request) -> list[dict[str, Any]]:
    given = request.query_params
    limit = asking.number(given, "limit", 1000, 100_000)
    return tags.names(engine, asking.within(given), given.get("scope", ""), limit or 1000)


def _values(engine: Engine, request: Request) -> Any:
    return {"tagValues": [value["value"] for value in _found_values(engine, request)]}


def _values_v2(engine: Engine, request: Request) -> Any:
    return {"tagValues": _found_values(engine, request)}


def _found_values(engine: Engine, request: Request) -> list[dict[str, str]]:
    given = request.query_params
    limit = asking.number(given, "limit", 1000, 100_000) or 1000
    return tags.values(engine, asking.within(given), request.path_params["tag"], given.get("q", ""), limit)


def _query_range(engine: Engine, request: Request) -> Any:
    given = request.query_params
    steps, exemplars = asking.steps(given), asking.number(given, "exemplars", 100, 10_000)
    found = series_of(engine, asking.series_query(given), Question(steps, exemplars))
    return {"series": answers.series(found, steps), "metrics": {"completedJobs": 1, "totalJobs": 1}}


def _query(engine: Engine, request: Request) -> Any:
    given = request.query_params
    within = asking.within(given)
    steps = Steps(within.start, within.end, within.end - within.start)
    found = series_of(engine, asking.series_query(given), Question(steps, 0))
    return {"series": answers.instants(found), "metrics": {"completedJobs": 1, "totalJobs": 1}}


def _summary(engine: Engine, request: Request) -> Any:
    given = request.query_params
    found = summary(engine, asking.search_query(given), given.get("groupBy", ""), asking.within(given))
    return {"summaries": found}


def _build(engine: Engine, request: Request) -> Any:
    from pilothouse import __version__

    # Grafana decides by the version which features to offer.
    return {"version": "2.9.0", "revision": f"pilothouse-{__version__}", "branch": "", "buildDate": "", "goVersion": ""}


def _wants_protobuf(request: Request) -> bool:
    return "protobuf" in request.headers.get("accept", "")


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])
