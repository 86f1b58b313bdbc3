"""Jaeger's query API v3 over gRPC (`jaeger.api_v3.QueryService`, jaegertracing/jaeger-idl): traces as OTLP.

A structured filter (experimental in Jaeger) is refused, as Jaeger does unless it is told otherwise, and
`FindTraceSummaries` is not served. A trace is answered whole: the times of `GetTrace`, which help other stores to find
it, are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pilothouse.server.access.calls import QUESTIONS_V3
from pilothouse.server.jaeger_answering import Questions, between, dependencies_within, operations_asked, traces_asked
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.traces import catalogue
from pilothouse.signals.traces.exporting import otlp, otlp_of
from pilothouse.signals.wire import trace_id

if TYPE_CHECKING:
    from pilothouse.engine import Engine

# On the wire a map is a repeated message of key and value; times and durations are alike.
_MESSAGES = message_classes(
    "jaeger.api_v3",
    """
message Time { int64 seconds = 1; int32 nanos = 2; }
message Attribute { string key = 1; string value = 2; }
message GetTraceRequest { string trace_id = 1; Time start_time = 2; Time end_time = 3; bool raw_traces = 4; }
message TraceQueryParameters { string service_name = 1; string operation_name = 2; repeated Attribute attributes = 3;
  Time start_time_min = 4; Time start_time_max = 5; Time duration_min = 6; Time duration_max = 7;
  int32 search_depth = 8; bool raw_traces = 9; bytes filter = 10; }
message FindTracesRequest { TraceQueryParameters query = 1; }
message GetServicesRequest { }
message GetServicesResponse { repeated string services = 1; }
message GetOperationsRequest { string service = 1; string span_kind = 2; }
message Operation { string name = 1; string span_kind = 2; }
message GetOperationsResponse { repeated Operation operations = 1; }
message GetDependenciesRequest { Time start_time = 1; Time end_time = 2; }
message Dependency { string parent = 1; string child = 2; uint64 call_count = 3; }
message DependenciesResponse { repeated Dependency dependencies = 1; }
""",
)


def questions(engine: Engine) -> Questions:
    """The service's handler."""
    ones = {"GetServices": _services, "GetOperations": _operations, "GetDependencies": _dependencies}
    return Questions(engine, QUESTIONS_V3, _MESSAGES, ones, {"GetTrace": _trace, "FindTraces": _search})


def _services(engine: Engine, request: Any) -> Any:
    return _MESSAGES["GetServicesResponse"](services=catalogue.services(engine))


def _operations(engine: Engine, request: Any) -> Any:
    return _MESSAGES["GetOperationsResponse"](operations=operations_asked(engine, request))


def _dependencies(engine: Engine, request: Any) -> Any:
    found = dependencies_within(engine, between(request, "start_time", "end_time"))
    return _MESSAGES["DependenciesResponse"](dependencies=found)


def _trace(engine: Engine, request: Any) -> Iterator[Any]:
    if not request.trace_id:
        raise BadRequestError("trace_id is required", "trace_id")
    yield otlp(engine, trace_id(request.trace_id))


def _search(engine: Engine, request: Any) -> Iterator[Any]:
    query = request.query
    if query.filter:
        raise BadRequestError("query.filter: structured filters are not taken; use the other fields", "query.filter")
    attributes = {one.key: one.value for one in query.attributes}
    yield otlp_of(engine, traces_asked(engine, query, attributes, between(query, "start_time_min", "start_time_max")))
