"""How Jaeger's questions over gRPC are answered in either version: what they share of requests, errors and times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from pilothouse.engine import BudgetExceededError
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import NANOSECONDS, TimeRange
from pilothouse.signals.traces.graph import service_graph
from pilothouse.signals.traces.jaeger import matching, operations
from pilothouse.signals.traces.jaeger_v3 import LIMIT, MOST
from pilothouse.signals.traces.spansets.searching import find
from pilothouse.signals.traces.traceql import parse

if TYPE_CHECKING:
    from pilothouse.engine import Engine

_STATUS = {
    BadRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    BudgetExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
Answer = Callable[["Engine", Any], Any]
Answers = Callable[["Engine", Any], Iterator[Any]]


class Questions(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The methods of a service: `ones` answer with a message, `streams` with several."""

    def __init__(
        self,
        engine: Engine,
        service: str,
        messages: Mapping[str, Any],
        ones: Mapping[str, Answer],
        streams: Mapping[str, Answers],
    ) -> None:
        self._engine, self._messages = engine, messages
        self._methods = {f"{service}{name}": self._one(name, answer) for name, answer in ones.items()}
        self._methods |= {f"{service}{name}": self._stream(name, answer) for name, answer in streams.items()}

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is not one of these."""
        return self._methods.get(details.method)

    def _one(self, method: str, answer: Answer) -> Any:
        def whole(engine: Engine, request: Any) -> Iterator[Any]:
            yield answer(engine, request)

        def answered(body: bytes, context: grpc.ServicerContext) -> bytes:
            return next(self._answered(method, whole, body, context))

        return grpc.unary_unary_rpc_method_handler(answered)

    def _stream(self, method: str, answer: Answers) -> Any:
        return grpc.unary_stream_rpc_method_handler(lambda body, context: self._answered(method, answer, body, context))

    def _answered(self, method: str, answer: Answers, body: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        message = f"{method}Request"
        try:
            for one in answer(self._engine, self._messages[message].FromString(body)):
                yield bytes(one.SerializeToString())
        except DecodeError:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is not a {message}")
        except (BadRequestError, NotFoundError, BudgetExceededError) as error:
            context.abort(next(code for kind, code in _STATUS.items() if isinstance(error, kind)), str(error))


def operations_asked(engine: Engine, request: Any) -> list[dict[str, str]]:
    """The operations that a GetOperationsRequest asks for, as messages' fields."""
    if not request.service:
        raise BadRequestError("service is required", "service")
    found = operations(engine, request.service, request.span_kind)
    return [{"name": one["name"], "span_kind": one["spanKind"]} for one in found]


def dependencies_within(engine: Engine, times: TimeRange) -> list[dict[str, Any]]:
    """Who called whom and how often, as messages' fields."""
    edges = service_graph(engine, times)
    return [{"parent": edge.client, "child": edge.server, "call_count": edge.calls} for edge in edges]


def traces_asked(engine: Engine, query: Any, attributes: Mapping[str, str], times: TimeRange) -> list[str]:
    """The ids of the traces that a TraceQueryParameters asks for, newest first."""
    depth = query.search_depth or LIMIT
    if not 1 <= depth <= MOST:
        raise BadRequestError(f"query.search_depth: not a number from 1 to {MOST}", "query.search_depth")
    lengths = ("duration_min", "duration_max")
    least, longest = (f"{nanoseconds(query, name)}ns" if query.HasField(name) else "" for name in lengths)
    text = matching(query.service_name, query.operation_name, (least, longest), attributes)
    return [one.trace_id for one in find(engine, parse(text).root, times, depth, 1)]  # type: ignore[arg-type]


def between(message: Any, first: str, last: str) -> TimeRange:
    """The range between two fields of a message, which must be there."""
    if not (message.HasField(first) and message.HasField(last)):
        raise BadRequestError(f"{first} and {last} are required", first)
    start, end = nanoseconds(message, first), nanoseconds(message, last)
    if start >= end:
        raise BadRequestError(f"{first} must be before {last}", first)
    return TimeRange(start, end)


def nanoseconds(message: Any, field: str) -> int:
    """A time or duration, within what is stored of times."""
    time = getattr(message, field)
    return int(min(max(time.seconds * NANOSECONDS + time.nanos, 0), 2**63 - 1))
