"""`/api/previews`: what runs for which pull request, its last lines, and the ending of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.wire import answer, json_body, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pilothouse.delivery.previews.serving import PreviewServer


def routes(find: Callable[[], PreviewServer | None]) -> list[Route]:
    """The calls; without a forge there are no previews, and the list is empty."""

    async def previews(request: Request) -> Response:
        only(request, "repository", "live")
        query, server = request.query_params, find()
        if server is None:
            return answer({"previews": []})
        found = await waiting(server.store.all, query.get("repository", ""), query.get("live") == "1")
        return answer({"previews": [one.to_json() for one in found]})

    async def preview(request: Request) -> Response:
        only(request)
        return answer(await waiting(_whole, find(), request.path_params["preview"]))

    async def act(request: Request) -> Response:
        only(request)
        body = await json_body(request)
        action, by = body.get("action"), body.get("by", "")
        if action != "stop" or set(body) - {"action", "by"}:
            raise BadRequestError("action: must be stop, with `by` beside it at most", "action")
        if not isinstance(by, str) or len(by) > 255:
            raise BadRequestError("by: must be text", "by")
        key = request.path_params["preview"]
        server = find()
        if server is not None:
            await waiting(server.stop, key, by)
        return answer(await waiting(_whole, server, key))

    return [
        Route("/api/previews", previews, methods=["GET"]),
        Route("/api/previews/{preview:int}", preview, methods=["GET"]),
        Route("/api/previews/{preview:int}", act, methods=["POST"]),
    ]


def _whole(server: PreviewServer | None, key: int) -> dict[str, Any]:
    found = server.store.one(key) if server is not None else None
    if server is None or found is None:
        raise NotFoundError(f"no preview {key}")
    return found.to_json() | {"log": server.log(key)}
