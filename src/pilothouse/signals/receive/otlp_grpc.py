"""OTLP over gRPC, by generic handlers: bytes in, bytes out; the door parses them itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import grpc

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.otlp import Receiver

_METHODS = {
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metrics",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
}
_WRITE_SECONDS = 30


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """OTLP's three methods, by their names."""

    def __init__(self, receiver: Receiver) -> None:
        self._methods = {
            method: grpc.unary_unary_rpc_method_handler(_export(kind, receiver)) for method, kind in _METHODS.items()
        }

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is not one of these."""
        return self._methods.get(details.method)


def _export(kind: str, receiver: Receiver) -> Any:
    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            outcome = receiver.receive(kind, body)
            outcome.written.result(timeout=_WRITE_SECONDS)
            return outcome.protobuf()
        except BadRequestError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except OverloadedError as error:
            context.set_trailing_metadata((("grpc-status-details-bin", _retry_info(error)),))
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except TimeoutError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the journal did not answer in time")
        raise AssertionError("abort raises")

    return export


def _retry_info(error: OverloadedError) -> bytes:
    """google.rpc.Status with RetryInfo, by which an exporter knows how long to wait (OTLP, OTLP/gRPC throttling)."""
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    info = RetryInfo()
    info.retry_delay.FromTimedelta(timedelta(seconds=error.retry_after))
    packed = AnyMessage()
    packed.Pack(info)
    return bytes(
        Status(code=grpc.StatusCode.UNAVAILABLE.value[0], message=str(error), details=[packed]).SerializeToString()
    )


def serve(
    handlers: Sequence[grpc.GenericRpcHandler], address: str, limit: int, credentials: Any = None, workers: int = 8
) -> tuple[grpc.Server, int]:
    """A started server on `address` (`host:port`, port 0 for any), and its port; with `credentials` it speaks TLS.

    Raises `OSError` when the address cannot be bound.
    """
    server = grpc.server(
        ThreadPoolExecutor(workers, thread_name_prefix="otlp-grpc"),
        handlers=handlers,
        options=[("grpc.max_receive_message_length", limit), ("grpc.so_reuseport", 0)],
    )
    try:
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"{address}: cannot listen there: {error}") from None
    if not port:
        raise OSError(f"{address}: cannot listen there")
    server.start()
    return server, port
