"""`GET /api/traces`, and below it `{trace_id}`, `graph`, `critical` and `compare`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.selector import Selector, equals, parse_selector
from pilothouse.signals.timerange import parse_duration
from pilothouse.signals.traces.asking import TraceQuestion, search, search_with, trace
from pilothouse.signals.traces.comparing import VersionsQuestion, compare
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.spending import spending
from pilothouse.signals.wire import answer, number, only, time_range, trace_id, waiting, wanted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

_PARAMETERS = (
    "q", "selector", "service", "operation", "min_duration", "max_duration", "errors", "limit", "start", "end", "since",
)  # fmt: skip
_VERSIONS = ("service", "baseline", "candidate")
_CONDITIONS = ("selector", "service", "operation", "min_duration", "max_duration", "errors")


def routes(engine: Engine) -> list[Route]:
    """The trace questions. `durations` is the releases room's: it compares versions."""

    def found(request: Request, default: int = 20) -> list[dict[str, Any]]:
        only(request, *_PARAMETERS)
        if query := request.query_params.get("q"):
            within, limit = time_range(request), number(request, "limit", default, 1, 1000)
            if any(request.query_params.get(name) for name in _CONDITIONS):
                raise BadRequestError("q: a TraceQL query says all; leave the other conditions out", "q")
            return search_with(engine, query, within, limit)
        return search(engine, _question(request, default))

    async def traces(request: Request) -> Response:
        return answer({"traces": await waiting(found, request)})

    async def critical(request: Request) -> Response:
        def spent() -> dict[str, Any]:
            return spending(engine, [one["trace_id"] for one in found(request, 200)])

        return answer(await waiting(spent))

    async def versions(request: Request) -> Response:
        only(request, *_VERSIONS, "operation", "limit", "start", "end", "since")
        service, baseline, candidate = (wanted(request, name) for name in _VERSIONS)
        question = VersionsQuestion(
            service, baseline, candidate, time_range(request), request.query_params.get("operation", ""),
            number(request, "limit", 300, 1, 2000),
        )  # fmt: skip
        return answer(await waiting(compare, engine, question))

    async def graph(request: Request) -> Response:
        only(request, "start", "end", "since")
        edges = await waiting(service_graph, engine, time_range(request))
        return answer({"edges": [asdict(edge) for edge in edges]})

    async def one(request: Request) -> Response:
        only(request, "limit")
        wanted_id, most = trace_id(request.path_params["trace_id"]), number(request, "limit", 10_000, 1, 200_000)
        return answer(await waiting(trace, engine, wanted_id, None, most))

    return [
        Route("/api/traces", traces),
        Route("/api/traces/graph", graph),
        Route("/api/traces/critical", critical),
        Route("/api/traces/compare", versions),
        Route("/api/traces/{trace_id}", one),
    ]


def _question(request: Request, default: int) -> TraceQuestion:
    query = request.query_params
    selector = parse_selector(query.get("selector", ""))
    if service := query.get("service"):
        selector = Selector((*selector.matchers, *equals(service_name=service).matchers))
    return TraceQuestion(
        selector=selector,
        within=time_range(request),
        operation=query.get("operation", ""),
        least_duration=_nanoseconds(query.get("min_duration"), "min_duration"),
        most_duration=_nanoseconds(query.get("max_duration"), "max_duration"),
        errors=query.get("errors", "") in ("1", "true", "yes"),
        limit=number(request, "limit", default, 1, 1000),
    )


def _nanoseconds(text: str | None, field: str) -> int:
    return int(parse_duration(text, field) * 1e9) if text else 0
