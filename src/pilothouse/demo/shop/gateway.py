"""The gateway: the shop's front door, which also splits the traffic between two versions of checkout."""

import logging
from collections.abc import Sequence

from opentelemetry import trace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pilothouse.demo.shop.outgoing import UNREACHABLE, Answer, Upstream
from pilothouse.demo.shop.serving import serve
from pilothouse.demo.shop.settings import Settings
from pilothouse.demo.shop.splitting import Backend, Split
from pilothouse.demo.shop.telemetry import Telemetry

log = logging.getLogger("shop.gateway")


class Gateway:
    """Passes requests on to the services behind it."""

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self._catalog = settings.catalog
        self._checkouts = Split([Backend(settings.checkout, 1)])
        self._upstream = upstream

    async def products(self, request: Request) -> Response:
        """`GET /products?category=C`."""
        return await self._browse("/products", "/products", request)

    async def product(self, request: Request) -> Response:
        """`GET /products/{sku}`."""
        return await self._browse("/products/{sku}", f"/products/{request.path_params['sku']}", request)

    async def checkout(self, request: Request) -> Response:
        """`POST /checkout`, to one of the checkouts."""
        try:
            body = await request.json()
            return _passed(await self._upstream.post(self._checkouts.next(), "/checkout", body))
        except ValueError as error:
            return JSONResponse({"error": f"bad order: {error}"}, 400)
        except UNREACHABLE as error:
            return _unreachable("checkout", error)

    async def route(self, request: Request) -> Response:
        """`PUT /-/routes/checkout [{"address": A, "weight": W}]`: splits from the next request on."""
        try:
            wanted = await request.json()
            backends = [Backend(str(backend["address"]), int(backend["weight"])) for backend in wanted]
            self._checkouts = Split(backends)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f"bad split: {error}"}, 400)
        log.info("checkout is now split over %d instances", len(backends))
        return JSONResponse({"backends": len(backends)})

    async def _browse(self, template: str, path: str, request: Request) -> Response:
        try:
            return _passed(await self._upstream.get(self._catalog, template, path, str(request.query_params)))
        except UNREACHABLE as error:
            return _unreachable("catalog", error)


def _passed(answer: Answer) -> Response:
    if answer.status_code >= 500:
        log.error("%s answered %d", answer.path, answer.status_code)
    return Response(answer.content, answer.status_code, media_type=answer.media_type)


def _unreachable(service: str, error: Exception) -> Response:
    trace.get_current_span().record_exception(error)
    log.error("%s cannot be reached: %s", service, error)
    return JSONResponse({"error": f"{service} cannot be reached"}, 502)


def routes(settings: Settings, _telemetry: Telemetry, upstream: Upstream) -> Sequence[BaseRoute]:
    """The gateway's routes."""
    gateway = Gateway(settings, upstream)
    return [
        Route("/products", gateway.products),
        Route("/products/{sku}", gateway.product),
        Route("/checkout", gateway.checkout, methods=["POST"]),
        Route("/-/routes/checkout", gateway.route, methods=["PUT"]),
    ]


if __name__ == "__main__":
    serve(routes)
