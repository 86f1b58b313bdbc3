"""Loki's HTTP API for questions, under `/loki/api/v1` (Loki HTTP API). What is pushed comes in by `receive`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from pilothouse.engine import BudgetExceededError, CancelledError, EngineUnavailableError
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs import loki_labels, loki_volumes
from pilothouse.signals.logs.answering import lines, numbers
from pilothouse.signals.logs.deleting import deletion_routes
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.logql.writing import pretty
from pilothouse.signals.logs.loki_answers import numbers as described_numbers
from pilothouse.signals.logs.loki_answers import spaced, stats, streams
from pilothouse.signals.logs.loki_asking import Parameters, duration, header_flags, moment, parameters
from pilothouse.signals.logs.loki_tail import tail
from pilothouse.signals.logs.searching import LineQuestion
from pilothouse.signals.logs.vectors import Steps
from pilothouse.signals.timerange import to_rfc3339
from pilothouse.signals.wire import answer, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.engine import Engine

PREFIX = "/loki/api/v1"
MOST_BYTES = 100_000_000_000
Handler = Callable[["Engine", Parameters, "Request"], Any]


def routes(engine: Engine, most_bytes: int = MOST_BYTES) -> list[BaseRoute]:
    """All endpoints that ask; a log query reads at most so many bytes of lines before it says how to go on."""

    def query_range(engine: Engine, given: Parameters, request: Request) -> Any:
        return _query_range(engine, given, request, most_bytes)

    handlers: dict[str, Handler] = {
        "/query": _query,
        "/query_range": query_range,
        "/labels": loki_labels.names,
        "/label": loki_labels.names,
        "/label/{name}/values": loki_labels.values,
        "/series": loki_labels.series,
        "/detected_labels": loki_labels.detected_labels,
        "/detected_fields": loki_labels.detected_fields,
        "/detected_field/{name}/values": loki_labels.detected_values,
        "/index/stats": loki_volumes.index_stats,
        "/index/volume": loki_volumes.volume,
        "/index/volume_range": loki_volumes.volume_range,
        "/patterns": loki_volumes.patterns,
        "/format_query": _format_query,
        "/status/buildinfo": _build,
    }
    found: list[BaseRoute] = [
        Route(f"{PREFIX}{path}", _endpoint(engine, handler), methods=["GET", "POST"], name=f"loki{path}")
        for path, handler in handlers.items()
    ]
    found += deletion_routes(engine, PREFIX)
    found.append(WebSocketRoute(f"{PREFIX}/tail", tail(engine), name="loki-tail"))
    found.append(Route("/loki/ready", _ready, name="loki-ready"))
    return found


async def _ready(request: Request) -> Response:
    return PlainTextResponse("ready\n")


def _endpoint(engine: Engine, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            given = await parameters(request)
            return answer(await waiting(handler, engine, given, request))
        except BadRequestError as error:
            return PlainTextResponse(str(error), 400)
        except BudgetExceededError as error:
            return PlainTextResponse(f"the query takes more than it may: {error}; ask for a shorter range", 400)
        except (EngineUnavailableError, CancelledError) as error:
            return PlainTextResponse(str(error), 503)

    return endpoint


def _query(engine: Engine, given: Parameters, request: Request) -> Any:
    query = parse(given.needed("query"))
    if isinstance(query, tree.LogQuery):
        raise BadRequestError(
            "log queries are not supported as an instant query type, please change your query to a range query type"
        )
    now = time.time_ns()
    at = moment(given.get("time"), now, "time") if given.get("time") else now
    return _numbers(engine, query, Steps(at, at, 1))


def _query_range(engine: Engine, given: Parameters, request: Request, most_bytes: int) -> Any:
    query, within = parse(given.needed("query")), given.within()
    if not isinstance(query, tree.LogQuery):
        return _numbers(engine, query, Steps(within.start, within.end, given.step(within)))
    started = time.monotonic()
    question = LineQuestion(query, within, given.limit(), given.forward(), most_bytes)
    found = lines(engine, question)
    entries = (
        spaced(found.entries, duration(given.get("interval"), "interval")) if given.get("interval") else found.entries
    )
    flags = header_flags(request.headers)
    categorized = "categorize-labels" in flags
    data: dict[str, Any] = {"resultType": "streams", "result": streams(entries, categorized)}
    if categorized:
        data["encodingFlags"] = ["categorize-labels"]
    data["stats"] = stats(found.price, time.monotonic() - started, len(entries))
    said: dict[str, Any] = {"status": "success", "data": data}
    if not found.complete:
        said["warnings"] = [_unfinished(question, found.price.bytes, found.covered.start, found.covered.end)]
    return said


def _unfinished(question: LineQuestion, read: int, start: int, end: int) -> str:
    parameter, place = ("start", end) if question.forward else ("end", start)
    return (
        f"the query stopped after {read / 1e9:.1f} GB of lines; what is missing can be had with "
        f"{parameter}={place} ({to_rfc3339(place)})"
    )


def _numbers(engine: Engine, query: tree.Metric, steps: Steps) -> Any:
    started = time.monotonic()
    found = numbers(engine, query, steps)
    data = described_numbers(found.value, steps)
    data["stats"] = stats(found.price, time.monotonic() - started, len(data["result"]))
    return {"status": "success", "data": data}


def _format_query(engine: Engine, given: Parameters, request: Request) -> Any:
    return {"status": "success", "data": pretty(parse(given.needed("query")))}


def _build(engine: Engine, given: Parameters, request: Request) -> Any:
    from pilothouse import __version__

    # Grafana decides by the version which features to offer.
    return {"version": "3.5.0", "revision": f"pilothouse-{__version__}", "branch": "", "buildDate": "", "goVersion": ""}
