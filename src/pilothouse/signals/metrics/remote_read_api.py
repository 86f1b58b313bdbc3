"""`POST /prometheus/api/v1/read`: another Prometheus reads from here what it does not have itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cramjam
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.signals.metrics.prometheus.asking import STATUS, ApiError
from pilothouse.signals.wire import body_within

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.metrics.prometheus.querying import Queries
    from pilothouse.signals.metrics.prometheus.watched import Watched

MOST_SAMPLES = 50_000_000
"""As many a request may ask for, as in Prometheus."""
_LARGEST_REQUEST = 1_000_000


def routes(queries: Queries, watched: Watched, prefix: str = "/prometheus/api/v1") -> list[Route]:
    """The endpoint; `watched` says which external labels are added."""

    async def read(request: Request) -> Response:
        from pilothouse.signals.metrics.prometheus.remote_reading import answered, request_of

        external = watched.external_labels()
        try:
            asked = request_of(await _body(request))
            body = await queries.run(
                request,
                lambda metrics, _: bytes(cramjam.snappy.compress_raw(answered(metrics, asked, external, MOST_SAMPLES))),
            )
        except ApiError as error:
            return PlainTextResponse(f"{error}\n", STATUS[error.kind])
        return Response(body, headers={"content-type": "application/x-protobuf", "content-encoding": "snappy"})

    return [Route(f"{prefix}/read", read, methods=["POST"])]


async def _body(request: Request) -> bytes:
    body = await body_within(request, _LARGEST_REQUEST)
    if body is None:
        raise ApiError("bad_data", f"the body is larger than {_LARGEST_REQUEST} bytes")
    try:
        if not body or cramjam.snappy.decompress_raw_len(body) > _LARGEST_REQUEST:
            raise ApiError("bad_data", f"the body is empty or decompresses to more than {_LARGEST_REQUEST} bytes")
        return bytes(cramjam.snappy.decompress_raw(body))
    except (cramjam.DecompressionError, ValueError, OverflowError) as error:
        raise ApiError("bad_data", f"the compressed body is broken: {error}") from None
