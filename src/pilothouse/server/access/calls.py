"""Admission over gRPC: a handler before all handlers that finds each call's tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import grpc

from pilothouse.server.access.admission import Access, Admitted, RefusedError
from pilothouse.server.access.scopes import INGEST, READ

QUESTIONS_V2, QUESTIONS_V3 = "/jaeger.api_v2.QueryService/", "/jaeger.api_v3.QueryService/"
"""How Jaeger's questions begin, in either version."""
QUESTIONS = (QUESTIONS_V2, QUESTIONS_V3)
"""How methods begin that ask: all others are ways in."""
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class Calls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """All that the gRPC port takes: ways in, and Jaeger's questions, which need `read`."""

    def __init__(self, handlers: Mapping[str, Sequence[grpc.GenericRpcHandler]], access: Access) -> None:
        self._handlers, self._access = handlers, access

    def service(self, details: Any) -> Any:
        """The handler of a call for its tenant; one that refuses when it may not go on."""
        asks = details.method.startswith(QUESTIONS)
        headers = {str(name): str(value) for name, value in details.invocation_metadata}
        try:
            admitted = self._access.admit(headers, READ if asks else INGEST)
        except RefusedError as error:
            return grpc.unary_unary_rpc_method_handler(_refusing(error))
        found = next(filter(None, (one.service(details) for one in self._handlers[admitted.tenant])), None)
        pays = found and admitted.pays and not asks
        return _paying(found, self._access, admitted) if pays else found


def _refusing(error: RefusedError) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    def refuse(body: bytes, context: grpc.ServicerContext) -> bytes:
        if error.retry_after:
            context.set_trailing_metadata((("grpc-status-details-bin", _retry_info(error)),))
        context.abort(_CODES[error.status], str(error))
        raise AssertionError("abort raises")

    return refuse


def _paying(found: Any, access: Access, admitted: Admitted) -> Any:
    def paid(body: bytes) -> bytes:
        access.limiter.pay(admitted.limits, len(body))
        return body

    if found.unary_unary:
        return grpc.unary_unary_rpc_method_handler(lambda body, context: found.unary_unary(paid(body), context))

    def stream(bodies: Iterator[bytes], context: grpc.ServicerContext) -> Any:
        return found.stream_stream(map(paid, bodies), context)

    # Streams have threads of their own (signals/receive/other_grpc.py).
    stream.experimental_thread_pool = getattr(found.stream_stream, "experimental_thread_pool", None)  # type: ignore[attr-defined]
    return grpc.stream_stream_rpc_method_handler(stream)


def _retry_info(error: RefusedError) -> bytes:
    """google.rpc.Status with RetryInfo (OTLP specification, OTLP/gRPC throttling)."""
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status

    info, packed = RetryInfo(), AnyMessage()
    info.retry_delay.FromTimedelta(timedelta(seconds=error.retry_after))
    packed.Pack(info)
    code = int(_CODES[error.status].value[0])
    return bytes(Status(code=code, message=str(error), details=[packed]).SerializeToString())
