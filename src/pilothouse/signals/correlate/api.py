"""`GET /api/correlate` and `GET /api/correlate/different`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.engine import Budget
from pilothouse.signals.correlate.anchor import Anchor, at_time, at_trace
from pilothouse.signals.correlate.differing import different
from pilothouse.signals.correlate.neighbours import neighbours
from pilothouse.signals.correlate.selection import LOGS, TRACES, lines_selected, spans_selected
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.selector import parse_selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange, parse_duration, parse_moment
from pilothouse.signals.wire import answer, number, only, time_range, trace_id, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.engine import Engine

_BUDGET = Budget(seconds=30.0, memory_bytes=1_500_000_000)
_AROUND = "30s"
_POINT = ("selector", "trace_id", "span_id", "metric", "function", "at", "around", "limit", "start", "end", "since")


def routes(engine: Engine) -> list[Route]:
    """The questions that join the signals."""

    async def correlate(request: Request) -> Response:
        only(request, *_POINT)
        return answer(await waiting(_neighbours, engine, request))

    async def differences(request: Request) -> Response:
        only(request, *dict.fromkeys((*TRACES, *LOGS)))
        return answer(await waiting(_different, engine, request))

    return [Route("/api/correlate", correlate), Route("/api/correlate/different", differences)]


def _neighbours(engine: Engine, request: Request) -> dict[str, Any]:
    limit = number(request, "limit", 5, 1, 100)
    return neighbours(engine, _anchor(engine, request), limit, _BUDGET)


def _anchor(engine: Engine, request: Request) -> Anchor:
    query = request.query_params
    text = query.get("selector", "")
    selector = parse_selector(text)
    trace = trace_id(query.get("trace_id", ""))
    if trace:
        return at_trace(engine, trace, _span_id(query.get("span_id", "")), selector, _BUDGET)
    if query.get("span_id"):
        raise BadRequestError("span_id: give trace_id with it", "span_id")
    if query.get("metric") and query.get("function"):
        raise BadRequestError("function: give either metric or function, not both", "function")
    within = _around(request) if "at" in query or "around" in query else time_range(request, "5m")
    return at_time(engine, within, selector, text, query.get("metric", ""), query.get("function", ""), _BUDGET)


def _around(request: Request) -> TimeRange:
    query = request.query_params
    at = parse_moment(query.get("at", "now"), time.time_ns(), "at")
    reach = int(parse_duration(query.get("around", _AROUND), "around") * NANOSECONDS)
    return TimeRange(max(at - reach, 0), at + max(reach, 1))


def _span_id(text: str) -> str:
    if text and not (len(text) == 16 and all(digit in "0123456789abcdefABCDEF" for digit in text)):
        raise BadRequestError(f"span_id: {text[:40]!r} is not a span id of 16 hexadecimal digits", "span_id")
    return text.lower()


def _different(engine: Engine, request: Request) -> dict[str, Any]:
    signal = request.query_params.get("signal", "traces")
    if signal not in ("traces", "logs"):
        raise BadRequestError(f"signal: {signal!r} is not traces or logs", "signal")
    selection = spans_selected(request) if signal == "traces" else lines_selected(request)
    return different(engine, selection, number(request, "limit", 20, 1, 1000), _BUDGET)
