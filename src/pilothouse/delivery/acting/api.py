"""`/api/delivery/...`: pull requests with why they do not merge, jobs, merge pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse
from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.wire import answer, number, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.delivery.acting.serving import DeliveryServer

_PULL_STATES = ("open", "closed", "merged")


def routes(server: DeliveryServer) -> list[Route]:
    """The calls that look; all acting is done by events."""

    async def pulls(request: Request) -> Response:
        only(request, "repository", "state", "limit")
        query = request.query_params
        state = query.get("state", "")
        if state and state not in _PULL_STATES:
            raise BadRequestError(f"state: {state!r} is none of {', '.join(_PULL_STATES)}", "state")
        limit = number(request, "limit", 200, 1, 10_000)
        found = await waiting(server.store.pulls, query.get("repository", ""), state, limit)
        return answer({"pulls": [one.to_json() for one in found]})

    async def why(request: Request) -> Response:
        only(request)
        path = request.path_params
        repository, key = f"{path['owner']}/{path['name']}", path["number"]
        found = await waiting(_why, server, repository, key)
        if found is None:
            raise NotFoundError(
                f"nothing is known here of {repository}#{key}: no event of it has come. On another forge, does its "
                "webhook lead here, or does `poll` ask it (GET /api/delivery/events shows what came)?"
            )
        return answer(found)

    async def jobs(request: Request) -> Response:
        only(request, "repository", "number", "limit")
        repository = request.query_params.get("repository", "")
        found = await waiting(
            server.store.jobs,
            repository,
            number(request, "number", 0, 1, 2**31 - 1),
            limit=number(request, "limit", 200, 1, 10_000),
        )
        return answer({"jobs": [one.to_json() for one in found]})

    async def decisions(request: Request) -> Response:
        only(request, "repository")
        lines = _lines(server, request.query_params.get("repository", ""))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def pools(request: Request) -> Response:
        only(request)
        names = await waiting(server.store.pools)
        return answer({"pools": [await waiting(server.pool, *one) for one in names]})

    return [
        Route("/api/delivery/pulls", pulls, methods=["GET"]),
        Route("/api/delivery/pulls/{owner:path}/{name}/{number:int}/why", why, methods=["GET"]),
        Route("/api/delivery/jobs", jobs, methods=["GET"]),
        Route("/api/delivery/decisions", decisions, methods=["GET"]),
        Route("/api/delivery/pools", pools, methods=["GET"]),
    ]


def _lines(server: DeliveryServer, repository: str) -> Iterator[str]:
    """All decisions, oldest first, a page at a time."""
    from pilothouse.delivery.acting.replaying import line

    after = 0
    while page := server.store.every_decision(repository, after):
        for one in page:
            yield line(one) + "\n"
        after = page[-1].id


def _why(server: DeliveryServer, repository: str, key: int) -> dict[str, Any] | None:
    part = server.part_of(repository, key)
    return part.why(repository, key) if part is not None else None
