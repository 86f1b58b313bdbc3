"""Jaeger's query API v3 over gRPC (`jaeger.api_v3.QueryService`, jaegertracing/jaeger-idl): traces as OTLP.

A structured filter (experimental in Jaeger) is refused, as Jaeger does unless it is told otherwise, and
`FindTraceSummaries` is not served. A trace is answered whole: the times of `GetTrace`, which help other stores to find
it, are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from pilothouse.engine import BudgetExceededError
from pilothouse.server.access.calls import QUESTIONS
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.traces import catalogue
from pilothouse.signals.traces.exporting import otlp, otlp_of
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.jaeger import matching, operations
from pilothouse.signals.traces.jaeger_v3 import LIMIT, MOST
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse
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
_STATUS = {
    BadRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    BudgetExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
Answer = Callable[["Engine", Any], Any]


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The methods, by their names."""

    def __init__(self, engine: Engine) -> None:
        self._methods = {
            "GetServices": _one(engine, "GetServicesRequest", _services),
            "GetOperations": _one(engine, "GetOperationsRequest", _operations),
            "GetDependencies": _one(engine, "GetDependenciesRequest", _dependencies),
            "GetTrace": _stream(engine, "GetTraceRequest", _trace),
            "FindTraces": _stream(engine, "FindTracesRequest", _search),
        }

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is not one of these."""
        return self._methods.get(details.method.removeprefix(QUESTIONS))


def _one(engine: Engine, message: str, answer: Answer) -> Any:
    return grpc.unary_unary_rpc_method_handler(lambda body, context: _answered(engine, message, answer, body, context))


def _stream(engine: Engine, message: str, answer: Answer) -> Any:
    def answered(body: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield _answered(engine, message, answer, body, context)

    return grpc.unary_stream_rpc_method_handler(answered)


def _answered(engine: Engine, message: str, answer: Answer, body: bytes, context: grpc.ServicerContext) -> bytes:
    try:
        request = _MESSAGES[message].FromString(body)
        return bytes(answer(engine, request).SerializeToString())
    except DecodeError:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is not a {message}")
    except (BadRequestError, NotFoundError, BudgetExceededError) as error:
        context.abort(next(code for kind, code in _STATUS.items() if isinstance(error, kind)), str(error))
    raise AssertionError("abort raises")


def _services(engine: Engine, request: Any) -> Any:
    return _MESSAGES["GetServicesResponse"](services=catalogue.services(engine))


def _operations(engine: Engine, request: Any) -> Any:
    if not request.service:
        raise BadRequestError("service is required", "service")
    found = operations(engine, request.service, request.span_kind)
    made = [{"name": one["name"], "span_kind": one["spanKind"]} for one in found]
    return _MESSAGES["GetOperationsResponse"](operations=made)


def _dependencies(engine: Engine, request: Any) -> Any:
    found = service_graph(engine, _within(request, "start_time", "end_time"))
    made = [{"parent": edge.client, "child": edge.server, "call_count": edge.calls} for edge in found]
    return _MESSAGES["DependenciesResponse"](dependencies=made)


def _trace(engine: Engine, request: Any) -> Any:
    if not request.trace_id:
        raise BadRequestError("trace_id is required", "trace_id")
    return otlp(engine, trace_id(request.trace_id))


def _search(engine: Engine, request: Any) -> Any:
    query = request.query
    if query.filter:
        raise BadRequestError("query.filter: structured filters are not taken; use the other fields", "query.filter")
    depth = query.search_depth or LIMIT
    if not 1 <= depth <= MOST:
        raise BadRequestError(f"query.search_depth: not a number from 1 to {MOST}", "query.search_depth")
    lengths = ("duration_min", "duration_max")
    least, longest = (f"{_nanoseconds(query, name)}ns" if query.HasField(name) else "" for name in lengths)
    attributes = {one.key: one.value for one in query.attributes}
    text = matching(query.service_name, query.operation_name, (least, longest), attributes)
    within = _within(query, "start_time_min", "start_time_max")
    found = find(engine, parse(text).root, within, depth, 1)  # type: ignore[arg-type]
    return otlp_of(engine, [one.trace_id for one in found])


def _within(message: Any, first: str, last: str) -> TimeRange:
    if not (message.HasField(first) and message.HasField(last)):
        raise BadRequestError(f"{first} and {last} are required", first)
    start, end = _nanoseconds(message, first), _nanoseconds(message, last)
    if start >= end:
        raise BadRequestError(f"{first} must be before {last}", first)
    return TimeRange(start, end)


def _nanoseconds(message: Any, field: str) -> int:
    time = getattr(message, field)
    return int(min(max(time.seconds * NANOSECONDS + time.nanos, 0), 2**63 - 1))
