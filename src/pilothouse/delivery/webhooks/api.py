"""`POST /webhooks/FORGE`: deliveries of the forges that are configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
from starlette.responses import Response
from starlette.routing import Route

from pilothouse.delivery.webhooks.parcel import DeliveryError, Parcel
from pilothouse.signals.wire import answer, body_within

if TYPE_CHECKING:
    from starlette.requests import Request

    from pilothouse.delivery.inbox import Inbox
    from pilothouse.delivery.webhooks.door import Door

log = structlog.get_logger(__name__)
# GitHub sends none above 25 MB (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap).
LARGEST = 25_000_000


def routes(doors: Mapping[str, Door], inbox: Inbox, most_bytes: int = LARGEST) -> list[Route]:
    """The doors, by the names of their forges."""

    async def webhook(request: Request) -> Response:
        door = doors.get(request.path_params["forge"])
        try:
            if door is None:
                raise DeliveryError("no forge of this name is configured", 404, "not_found")
            _json_only(request)
            body = await _body(request, most_bytes)
            headers = {name.lower(): value for name, value in request.headers.items()}
            return answer(await door.take(Parcel(body, headers), inbox))
        except DeliveryError as error:
            # Neither headers nor body: both may hold what must not be in a log.
            log.warning("a webhook is refused", forge=request.path_params["forge"][:64], reason=str(error))
            told = {"code": error.code, "message": str(error)} | ({"field": error.field} if error.field else {})
            return answer({"error": told}, error.status)

    return [Route("/webhooks/{forge}", webhook, methods=["POST"])]


def _json_only(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise DeliveryError("set the webhook's content type to application/json", 415, "not_json", "content-type")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise DeliveryError("a compressed body is not taken", 415, "compressed", "content-encoding")


async def _body(request: Request, most_bytes: int) -> bytes:
    too_large = DeliveryError(f"the body is larger than {most_bytes:,} bytes", 413, "too_large")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > most_bytes:
        raise too_large
    body = await body_within(request, most_bytes)
    if body is None:
        raise too_large
    return body
