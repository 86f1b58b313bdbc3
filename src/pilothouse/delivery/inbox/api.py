"""`/api/delivery/events`: what came from forges and how it stands, as JSON, or as JSON lines for replaying it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pilothouse.delivery.inbox.record import STATES
from pilothouse.signals.errors import BadRequestError, NotFoundError
from pilothouse.signals.timerange import parse_range
from pilothouse.signals.wire import answer, number, only, waiting

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.delivery.inbox.inbox import Inbox

_LINES = "application/x-ndjson"


def routes(inbox: Inbox) -> list[Route]:
    """The calls for events."""

    async def events(request: Request) -> Response:
        only(request, "repository", "number", "state", "since", "limit", "format")
        asked = _asked(request)
        form = request.query_params.get("format", "json")
        if form not in ("json", "lines"):
            raise BadRequestError(f"format: {form!r} is neither json nor lines", "format")
        if form == "lines":
            return StreamingResponse(_lines(inbox, asked), media_type=_LINES)
        kept = await waiting(inbox.events, **asked, limit=number(request, "limit", 100, 1, 10_000))
        return answer({"events": [one.to_json() for one in kept], "counts": await waiting(inbox.counts)})

    async def event(request: Request) -> Response:
        only(request)
        kept = await waiting(inbox.event, request.path_params["event"])
        if kept is None:
            raise NotFoundError(f"there is no event {request.path_params['event']}")
        return answer(kept.to_json())

    async def retry(request: Request) -> Response:
        only(request)
        key = request.path_params["event"]
        if not await inbox.retry(key):
            raise BadRequestError(f"event {key} is not one that was set aside and still has its contents", "event")
        return answer({"retried": key})

    return [
        Route("/api/delivery/events", events, methods=["GET"]),
        Route("/api/delivery/events/{event:int}", event, methods=["GET"]),
        Route("/api/delivery/events/{event:int}/retry", retry, methods=["POST"]),
    ]


def _asked(request: Request) -> dict[str, Any]:
    query = request.query_params
    state = query.get("state", "")
    if state and state not in STATES:
        raise BadRequestError(f"state: {state!r} is none of {', '.join(STATES)}", "state")
    since = query.get("since")
    return {
        "repository": query.get("repository", ""),
        "number": number(request, "number", 0, 1, 2**31 - 1),
        "state": state,
        "since": parse_range(None, None, since, "1h").start / 1e9 if since else 0.0,
    }


def _lines(inbox: Inbox, asked: dict[str, Any]) -> Iterator[str]:
    """The events themselves in the order in which they came, one a line; those that are forgotten are left out."""
    end = time.time()
    for one in inbox.every(**asked):
        if one.received > end:
            return
        if one.content:
            yield json.dumps({"received": one.received, "event": json.loads(one.content)}, ensure_ascii=False) + "\n"
