"""`/prometheus/federate`: another Prometheus scrapes the newest samples from here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pilothouse.signals.metrics.prometheus.asking import STATUS, ApiError, parameters
from pilothouse.signals.metrics.prometheus.federating import federated, format_for, newest

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.signals.metrics.prometheus.querying import Queries
    from pilothouse.signals.metrics.prometheus.watched import Watched

_LOOKBACK = 300_000


def routes(queries: Queries, watched: Watched, prefix: str = "/prometheus") -> list[Route]:
    """The endpoint; `watched` says which external labels are added."""

    async def federate(request: Request) -> Response:
        now = round(time.time() * 1000)
        format = format_for(request.headers.get("accept", ""))
        external = watched.external_labels()
        try:
            selectors = (await parameters(request)).matchers(needed=False)
            body = await queries.run(
                request,
                lambda metrics, _: federated(newest(metrics, selectors, now - _LOOKBACK, now), external, format),
            )
        except ApiError as error:
            return PlainTextResponse(f"{error}\n", STATUS[error.kind])
        return Response(body, headers={"content-type": format.content_type})

    return [Route(f"{prefix}/federate", federate, methods=["GET"])]
