"""OTLP profiles over gRPC: `ProfilesService/Export`, of which the answer is an empty message."""

from __future__ import annotations

from typing import Any

import grpc

from pilothouse.signals.errors import BadRequestError, OverloadedError
from pilothouse.signals.receive.pprof_limits import ProfileLimits
from pilothouse.signals.receive.pprof_otlp import read_otlp
from pilothouse.signals.receive.pprof_receiving import Intake, ProfileReceiver

_EXPORT = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
_WRITE_SECONDS = 30


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The method, by its name."""

    def __init__(self, intake: Intake, limit: int) -> None:
        """`limit` are the bytes of a request; unpacked it may have twice as many."""
        receiver = ProfileReceiver(intake, ProfileLimits.of_request(limit))
        self._method = grpc.unary_unary_rpc_method_handler(_export(receiver))

    def service(self, details: Any) -> Any:
        """The handler of a call; None when it is another."""
        return self._method if details.method == _EXPORT else None


def _export(receiver: ProfileReceiver) -> Any:
    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            receiver.take(lambda: read_otlp(body, False, receiver.limits)).result(timeout=_WRITE_SECONDS)
        except BadRequestError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except OverloadedError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except TimeoutError:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the journal did not answer in time")
        return b""

    return export
