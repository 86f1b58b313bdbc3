"""`GET /api/logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.asking import LogQuestion, count, search, severity_number
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.wire import answer, number, only, time_range, trace_id, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

_PARAMETERS = ("selector", "contains", "severity", "trace_id", "limit", "start", "end", "since", "count")


def routes(engine: Engine) -> list[Route]:
    """The log questions."""

    async def logs(request: Request) -> Response:
        only(request, *_PARAMETERS)
        question = _question(request)
        if request.query_params.get("count"):
            return answer({"count": await waiting(count, engine, question)})
        return answer({"logs": await waiting(search, engine, question)})

    from pilothouse.signals.logs import streaming_api

    return [Route("/api/logs", logs), *streaming_api.routes(engine)]


def _question(request: Request) -> LogQuestion:
    query = request.query_params
    name = query.get("severity", "")
    severity = severity_number(name) if name else 0
    if severity is None:
        raise BadRequestError(f"severity: {name!r} is not trace, debug, info, warn, error or fatal", "severity")
    return LogQuestion(
        selector=parse_selector(query.get("selector", "")),
        within=time_range(request),
        contains=tuple(text for text in query.getlist("contains") if text),
        severity=severity,
        trace_id=trace_id(query.get("trace_id", "")),
        limit=number(request, "limit", 100, 1, 10_000),
    )
