"""The catalog: what is for sale and what it costs."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse.demo.shop.outgoing import Upstream
from pilothouse.demo.shop.serving import serve
from pilothouse.demo.shop.settings import Settings
from pilothouse.demo.shop.telemetry import Telemetry
from pilothouse.demo.shop.waiting import wait_like_a_backend

CATEGORIES = ("charts", "compasses", "lamps", "ropes", "sails", "wheels")
PRODUCTS_IN_A_CATEGORY = 40
PAGE = 20
SLOW_MS = 12.0

log = logging.getLogger("shop.catalog")


@dataclass(frozen=True)
class Product:
    """One thing for sale; the price is in cents."""

    sku: str
    category: str
    cents: int
    stock: int


def stock_up() -> dict[str, Product]:
    """The same products at every start, by sku: `compasses-07`."""
    skus = [(f"{kind}-{number:02}", kind) for kind in CATEGORIES for number in range(PRODUCTS_IN_A_CATEGORY)]
    return {sku: Product(sku, kind, 250 + crc32(sku.encode()) % 9650, len(sku) * 7) for sku, kind in skus}


class Catalog:
    """Answers questions about products."""

    def __init__(self) -> None:
        self._products = stock_up()

    async def products(self, request: Request) -> Response:
        """`GET /products?category=C`: the cheapest of a category."""
        category = request.query_params.get("category", CATEGORIES[0])
        await self._query(f"products of {category}", 2.5)
        found = [product for product in self._products.values() if product.category == category]
        found.sort(key=lambda product: product.cents)
        return JSONResponse([asdict(product) for product in found[:PAGE]])

    async def product(self, request: Request) -> Response:
        """`GET /products/{sku}`: one product; 404 when there is none."""
        sku = request.path_params["sku"]
        await self._query(f"product {sku}", 1.5)
        if product := self._products.get(sku):
            return JSONResponse(asdict(product))
        log.warning("no product %s in the catalog", sku)
        return JSONResponse({"error": f"no product {sku}"}, 404)

    async def prices(self, request: Request) -> Response:
        """`GET /prices?sku=A&sku=B`: the price of each in cents; unknown products are left out."""
        wanted = request.query_params.getlist("sku")
        await self._query(f"{len(wanted)} prices", 1.5)
        return JSONResponse({sku: self._products[sku].cents for sku in wanted if sku in self._products})

    async def _query(self, what: str, median_ms: float) -> None:
        waited = await wait_like_a_backend(median_ms, 0.45)
        if waited > SLOW_MS:
            log.warning("slow query: %s took %.1f ms", what, waited)


def routes(_settings: Settings, _telemetry: Telemetry, _upstream: Upstream) -> Sequence[BaseRoute]:
    """The catalog's routes."""
    catalog = Catalog()
    return [
        Route("/products", catalog.products),
        Route("/products/{sku}", catalog.product),
        Route("/prices", catalog.prices),
    ]


if __name__ == "__main__":
    serve(routes)
