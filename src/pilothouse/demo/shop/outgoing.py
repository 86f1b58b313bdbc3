"""Client spans for the HTTP requests that a service makes to another one.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
"""

from time import perf_counter

import httpx
from opentelemetry import metrics, trace
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from pilothouse.demo.shop.incoming import SECONDS

TIMEOUT_SECONDS = 5.0


class Upstream:
    """Other services, called with the current trace's context in the `traceparent` header."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._tracer = trace.get_tracer("shop.http.client")
        self._durations = metrics.get_meter("shop.http.client").create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    async def get(self, base: str, template: str, path: str, params: httpx.QueryParams) -> httpx.Response:
        """GET base + path. `template` names the operation, as in `/products/{sku}`."""
        return await self._call(self._client.build_request("GET", base + path, params=params), template)

    async def post(self, base: str, path: str, body: object) -> httpx.Response:
        """POST base + path with a JSON body."""
        return await self._call(self._client.build_request("POST", base + path, json=body), path)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _call(self, request: httpx.Request, template: str) -> httpx.Response:
        """Raises httpx.TransportError when there is no answer; the span keeps it as an event."""
        about: dict[str, AttributeValue] = {
            "http.request.method": request.method,
            "server.address": request.url.host,
            "server.port": request.url.port or 80,
            "url.template": template,
        }
        name = f"{request.method} {template}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=about) as span:
            span.set_attribute("url.full", str(request.url))
            inject(request.headers)
            start = perf_counter()
            response = await self._client.send(request)
            _note(span, response)
            seen: dict[str, AttributeValue] = {
                "http.request.method": request.method,
                "url.template": template,
                "http.response.status_code": response.status_code,
            }
            self._durations.record(perf_counter() - start, seen)
            return response


def _note(span: Span, response: httpx.Response) -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 400:
        span.set_status(Status(StatusCode.ERROR))
