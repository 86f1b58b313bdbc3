"""Payments: charges cards with a partner that sometimes declines and sometimes does not answer."""

import logging
from collections.abc import Sequence
from uuid import uuid4

from opentelemetry import metrics, trace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse.demo.shop.outgoing import Upstream
from pilothouse.demo.shop.serving import serve
from pilothouse.demo.shop.settings import Settings
from pilothouse.demo.shop.telemetry import Telemetry
from pilothouse.demo.shop.waiting import DICE, wait_like_a_backend

DECLINED, UNANSWERED = 0.03, 0.01
"""The parts of all charges that the partner declines, or does not answer in time."""

log = logging.getLogger("shop.payments")


class PartnerTimeoutError(Exception):
    """The card partner did not answer in time."""


class Payments:
    """Charges cards."""

    def __init__(self) -> None:
        self._charged = metrics.get_meter("shop.payments").create_counter(
            "shop.payments.charged", "{cent}", "Money charged"
        )

    async def charge(self, request: Request) -> Response:
        """`POST /charges {"order": id, "cents": n}`: 201; 402 when declined, 504 without an answer."""
        wanted = await request.json()
        try:
            await self._ask_partner(wanted["order"])
        except PartnerTimeoutError as error:
            trace.get_current_span().record_exception(error)
            log.exception("charge for order %s failed", wanted["order"])
            return JSONResponse({"error": str(error)}, 504)
        if DICE.random() < DECLINED:
            log.warning("card declined for order %s over %d cents", wanted["order"], wanted["cents"])
            return JSONResponse({"error": "card declined"}, 402)
        self._charged.add(wanted["cents"])
        return JSONResponse({"charge": f"ch-{uuid4().hex[:12]}"}, 201)

    async def _ask_partner(self, order: str) -> None:
        waited = await wait_like_a_backend(7.0, 0.3)
        if DICE.random() < UNANSWERED:
            raise PartnerTimeoutError(f"no answer for order {order} in {waited:.1f} ms")


def routes(_settings: Settings, _telemetry: Telemetry, _upstream: Upstream) -> Sequence[BaseRoute]:
    """The payments' routes."""
    return [Route("/charges", Payments().charge, methods=["POST"])]


if __name__ == "__main__":
    serve(routes)
