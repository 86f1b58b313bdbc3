"""`GET /api/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from pilothouse.signals.metrics.asking import MetricQuestion, find_series, points
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import parse_duration
from pilothouse.signals.wire import answer, number, only, time_range, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine


def routes(engine: Engine) -> list[Route]:
    """The metric questions. `range` is the releases room's: it compares versions."""

    async def metrics(request: Request) -> Response:
        only(request, "selector", "name", "step", "limit", "start", "end", "since", "points")
        query = request.query_params
        question = MetricQuestion(
            selector=parse_selector(query.get("selector", "")),
            within=time_range(request),
            name=query.get("name", ""),
            step=parse_duration(query["step"], "step") if query.get("step") else 0.0,
            limit=number(request, "limit", 100, 1, 5000),
        )
        ask = find_series if query.get("points") in ("0", "false", "no") else points
        return answer({"series": await waiting(ask, engine, question)})

    return [Route("/api/metrics", metrics)]
