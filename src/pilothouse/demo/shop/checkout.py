"""Checkout: prices an order, charges it, draws the receipt. How it prices is what its versions differ in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

from opentelemetry import metrics, trace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse.demo.shop.coupons import Coupon
from pilothouse.demo.shop.outgoing import Upstream
from pilothouse.demo.shop.pricing import Pricing, load
from pilothouse.demo.shop.receipts import ReceiptArchive, draw
from pilothouse.demo.shop.serving import serve
from pilothouse.demo.shop.settings import Settings
from pilothouse.demo.shop.telemetry import Telemetry
from pilothouse.demo.shop.waiting import wait_like_a_backend

MOST_COUPONS = 16

log = logging.getLogger("shop.checkout")


@dataclass(frozen=True)
class Order:
    """What a customer wants: quantities by sku, and the coupons in hand."""

    id: str
    items: dict[str, int]
    coupons: list[Coupon]

    @classmethod
    def parse(cls, body: dict[str, object]) -> "Order":
        """Reads `{"items": {sku: n}, "coupons": [code]}`. Raises ValueError, KeyError or TypeError."""
        items, coupons = body["items"], body.get("coupons", [])
        if not isinstance(items, dict) or not isinstance(coupons, list) or len(coupons) > MOST_COUPONS:
            raise ValueError(f"an order has items and a list of at most {MOST_COUPONS} coupons")
        quantities = {str(sku): int(quantity) for sku, quantity in items.items()}
        return cls(f"ord-{uuid4().hex[:10]}", quantities, [Coupon.parse(str(code)) for code in coupons])


class Checkout:
    """Turns orders into charges and receipts, with the pricing of its version."""

    def __init__(self, settings: Settings, pricing: Pricing, upstream: Upstream) -> None:
        self._settings = settings
        self._pricing = pricing
        self._upstream = upstream
        self._archive = ReceiptArchive(pricing.RECEIPTS_KEPT)
        self._orders = metrics.get_meter("shop.checkout").create_counter(
            "shop.orders", "{order}", "Orders, by how they ended"
        )

    async def checkout(self, request: Request) -> Response:
        """`POST /checkout`: 201 with the charge; 400 bad order, 402 card declined, 502 no payment."""
        try:
            order = Order.parse(await request.json())
        except (ValueError, KeyError, TypeError) as error:
            return self._ended("invalid", {"error": f"bad order: {error}"}, 400)
        prices = await self._prices(order)
        total = sum(prices.get(sku, 0) * quantity for sku, quantity in order.items.items())
        total -= self._pricing.discount(order.coupons, total, order.id)
        await wait_like_a_backend(1.5)
        status, charge = await self._charge(order, total)
        if status != 201:
            return self._ended("declined" if status == 402 else "failed", charge, 402 if status == 402 else 502)
        self._archive.keep(order.id, draw(_lines(order, prices, total), self._pricing.RECEIPT_DENSITY))
        log.info("order %s placed: %d items for %d cents", order.id, sum(order.items.values()), total)
        return self._ended("placed", {"order": order.id, "cents": total, **charge}, 201)

    async def _prices(self, order: Order) -> dict[str, int]:
        skus = urlencode([("sku", sku) for sku in order.items])
        answer = await self._upstream.get(self._settings.catalog, "/prices", "/prices", skus)
        answer.raise_for_status()
        prices: dict[str, int] = answer.json()
        return prices

    async def _charge(self, order: Order, cents: int) -> tuple[int, dict[str, str]]:
        """One retry when the card partner does not answer."""
        wanted = {"order": order.id, "cents": cents}
        answer = await self._upstream.post(self._settings.payments, "/charges", wanted)
        if answer.status_code >= 500:
            trace.get_current_span().add_event("payment retried", {"http.response.status_code": answer.status_code})
            log.warning("payment for order %s answered %d, trying again", order.id, answer.status_code)
            answer = await self._upstream.post(self._settings.payments, "/charges", wanted)
        if answer.status_code >= 500:
            log.error("payment for order %s failed with %d", order.id, answer.status_code)
        return answer.status_code, answer.json()

    def _ended(self, how: str, body: dict[str, object] | dict[str, str], status: int) -> Response:
        self._orders.add(1, {"shop.order.outcome": how})
        return JSONResponse(body, status)


def _lines(order: Order, prices: dict[str, int], total: int) -> list[str]:
    items = [f"{n:3} x {sku:24} {prices.get(sku, 0) * n / 100:10.2f}" for sku, n in order.items.items()]
    return [f"ORDER {order.id}", "", *items, "", f"TOTAL {total / 100:.2f}"]


def routes(settings: Settings, _telemetry: Telemetry, upstream: Upstream) -> Sequence[BaseRoute]:
    """The checkout's routes."""
    checkout = Checkout(settings, load(settings.pricing), upstream)
    return [Route("/checkout", checkout.checkout, methods=["POST"])]


if __name__ == "__main__":
    serve(routes)
