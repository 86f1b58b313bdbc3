"""Jaeger's query API v2 over gRPC (`jaeger.api_v2.QueryService`, jaegertracing/jaeger-idl): traces as Jaeger's spans.

It is what Jaeger answers at its port 16685, and other programs have asked it by for years. Times that are left out mean
all there is, of `GetDependencies` the last day. `ArchiveTrace` is not served: traces stay as long as is configured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pilothouse.server.access.calls import QUESTIONS_V2
from pilothouse.server.jaeger_answering import Questions, between, dependencies_within, operations_asked, traces_asked
from pilothouse.server.jaeger_messages import QUESTIONS, chunks
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.traces import catalogue

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_DAY = 86_400 * NANOSECONDS


def questions(engine: Engine) -> Questions:
    """The service's handler."""
    ones = {"GetServices": _services, "GetOperations": _operations, "GetDependencies": _dependencies}
    return Questions(engine, QUESTIONS_V2, QUESTIONS, ones, {"GetTrace": _trace, "FindTraces": _search})


def _services(engine: Engine, request: Any) -> Any:
    return QUESTIONS["GetServicesResponse"](services=catalogue.services(engine))


def _operations(engine: Engine, request: Any) -> Any:
    found = operations_asked(engine, request)
    names = sorted({one["name"] for one in found})
    return QUESTIONS["GetOperationsResponse"](operations=found, operationNames=names)


def _dependencies(engine: Engine, request: Any) -> Any:
    found = dependencies_within(engine, _times(request, "start_time", "end_time", _DAY))
    return QUESTIONS["GetDependenciesResponse"](dependencies=found)


def _trace(engine: Engine, request: Any) -> Iterator[Any]:
    if not 1 <= len(request.trace_id) <= 16:
        raise BadRequestError("trace_id: not an id of up to 16 bytes", "trace_id")
    asked = request.trace_id.rjust(16, b"\0").hex()
    there = False
    for chunk in chunks(engine, [asked]):
        there = True
        yield chunk
    if not there:
        raise NotFoundError(f"no span of trace {asked} is stored")


def _search(engine: Engine, request: Any) -> Iterator[Any]:
    if not request.HasField("query"):
        raise BadRequestError("query is required", "query")
    tags = {one.key: one.value for one in request.query.tags}
    times = _times(request.query, "start_time_min", "start_time_max", time.time_ns())
    return chunks(engine, traces_asked(engine, request.query, tags, times))


def _times(message: Any, first: str, last: str, length: int) -> TimeRange:
    """As they are given, else the `length` nanoseconds before now."""
    if message.HasField(first) or message.HasField(last):
        return between(message, first, last)
    now = time.time_ns()
    return TimeRange(max(0, now - length), now)
