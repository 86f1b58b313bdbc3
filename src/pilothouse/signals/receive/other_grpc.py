"""What else is taken on the gRPC port: Jaeger's `PostSpans` and the OpenCensus agent's streams.

A stream keeps a thread for as long as it is open. So streams have threads of their own, and there are only so many:
OTLP's requests never wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive import jaeger_grpc, opencensus_metrics, opencensus_traces
from pilothouse.signals.receive.opencensus_messages import METRICS, TRACES
from pilothouse.signals.receive.opencensus_resource import Speaker
from pilothouse.signals.receive.otlp import Outcome, Receiver

_TRACES = "/opencensus.proto.agent.trace.v1.TraceService/Export"
_METRICS = "/opencensus.proto.agent.metrics.v1.MetricsService/Export"
_MOST_STREAMS = 64
_WRITE_SECONDS = 30


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The methods, by their names."""

    def __init__(self, receiver: Receiver) -> None:
        streams = _Streams()
        self._methods = {
            jaeger_grpc.METHOD: grpc.unary_unary_rpc_method_handler(_posting(receiver)),
            _TRACES: streams.method(_traces(receiver)),
            _METRICS: streams.method(_metrics(receiver)),
        }

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is not one of these."""
        return self._methods.get(details.method)


Take = Callable[[Speaker, bytes], Outcome]


class _Streams:
    def __init__(self) -> None:
        # One more than streams: the thread that refuses.
        self._threads = ThreadPoolExecutor(_MOST_STREAMS + 1, thread_name_prefix="opencensus")
        self._free = BoundedSemaphore(_MOST_STREAMS)

    def method(self, take: Take) -> Any:
        def export(bodies: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            if not self._free.acquire(blocking=False):
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {_MOST_STREAMS} streams are open")
            try:
                speaker = Speaker()
                for body in bodies:
                    _acknowledge(context, lambda body=body: take(speaker, body))  # type: ignore[misc]
                    yield b""
            finally:
                self._free.release()

        export.experimental_thread_pool = self._threads  # type: ignore[attr-defined]
        return grpc.stream_stream_rpc_method_handler(export)


def _posting(receiver: Receiver) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def post(body: bytes, context: grpc.ServicerContext) -> bytes:
        _acknowledge(context, lambda: receiver.receive("traces", jaeger_grpc.read(body).body()))
        return b""

    return post


def _traces(receiver: Receiver) -> Take:
    def take(speaker: Speaker, body: bytes) -> Outcome:
        request = _parsed(TRACES["ExportTraceServiceRequest"], body)
        return receiver.receive("traces", opencensus_traces.read(speaker, request).body())

    return take


def _metrics(receiver: Receiver) -> Take:
    def take(speaker: Speaker, body: bytes) -> Outcome:
        request = _parsed(METRICS["ExportMetricsServiceRequest"], body)
        return receiver.receive("metrics", opencensus_metrics.read(speaker, request).SerializePartialToString())

    return take


def _parsed(message: Any, body: bytes) -> Any:
    try:
        return message.FromString(body)
    except DecodeError:
        raise BadRequestError(f"{message.DESCRIPTOR.name} does not parse") from None


def _acknowledge(context: grpc.ServicerContext, take: Callable[[], Outcome]) -> None:
    """Return when what was taken is written; end the call in words when it was not."""
    try:
        outcome = take()
        outcome.written.result(timeout=_WRITE_SECONDS)
    except (BadRequestError, DecodeError) as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except OverloadedError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
    except TimeoutError:
        context.abort(grpc.StatusCode.UNAVAILABLE, "the journal did not answer in time")
    if outcome.rejected:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{outcome.rejected} were refused: {outcome.message}")
