"""`GET /api/traces` and `GET /api/traces/{trace_id}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from pilothouse.signals.selector import Selector, equals, parse_selector
from pilothouse.signals.timerange import parse_duration
from pilothouse.signals.traces.asking import TraceQuestion, search, trace
from pilothouse.signals.wire import answer, number, only, time_range, trace_id, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

_PARAMETERS = (
    "selector", "service", "operation", "min_duration", "max_duration", "errors", "limit", "start", "end", "since",
)  # fmt: skip


def routes(engine: Engine) -> list[Route]:
    """The trace questions. `durations` is the releases room's: it compares versions."""

    async def traces(request: Request) -> Response:
        only(request, *_PARAMETERS)
        return answer({"traces": await waiting(search, engine, _question(request))})

    async def one(request: Request) -> Response:
        only(request)
        return answer(await waiting(trace, engine, trace_id(request.path_params["trace_id"])))

    return [Route("/api/traces", traces), Route("/api/traces/{trace_id}", one)]


def _question(request: Request) -> TraceQuestion:
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
        limit=number(request, "limit", 20, 1, 1000),
    )


def _nanoseconds(text: str | None, field: str) -> int:
    return int(parse_duration(text, field) * 1e9) if text else 0
