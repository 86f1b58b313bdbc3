"""Client spans for the HTTP requests that a service makes to another one.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client
"""

import json
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import aiohttp
from opentelemetry import metrics, trace
from opentelemetry.propagate import inject
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from yarl import URL

from pilothouse.demo.shop.incoming import SECONDS

TIMEOUT_SECONDS = 5.0
# Servers close what is idle after five seconds: who would use it then is earlier.
_IDLE_SECONDS = 3.0
UNREACHABLE = (aiohttp.ClientError, TimeoutError)
"""What a call raises when there is no answer."""


class RefusedError(Exception):
    """The other service answered, with an error."""


@dataclass(frozen=True)
class Answer:
    """What another service answered to a request of a path."""

    path: str
    status_code: int
    content: bytes
    media_type: str

    def json(self) -> Any:
        """The content. Raises ValueError."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Raises RefusedError for an error of the other service's or ours."""
        if self.status_code >= 400:
            raise RefusedError(f"{self.path} answered {self.status_code}")


class Upstream:
    """Other services, called with the current trace's context in the `traceparent` header.

    With aiohttp: with httpx two thirds of a checkout's CPU were its client's.
    """

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("shop.http.client")
        self._durations = metrics.get_meter("shop.http.client").create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    async def get(self, base: str, template: str, path: str, query: str) -> Answer:
        """GET base + path with a query string. `template` names the operation, as in `/products/{sku}`."""
        return await self._call("GET", URL(base + path).with_query(query), template)

    async def post(self, base: str, path: str, body: object) -> Answer:
        """POST base + path with a JSON body."""
        return await self._call("POST", URL(base + path), path, body)

    async def close(self) -> None:
        """Closes the connections."""
        if "_client" in self.__dict__:
            await self._client.close()

    @cached_property
    def _client(self) -> aiohttp.ClientSession:
        """Made by the first call: it belongs to the loop that runs then."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )

    async def _call(self, method: str, url: URL, template: str, body: object = None) -> Answer:
        """Raises UNREACHABLE when there is no answer; the span keeps it as an event."""
        about: dict[str, AttributeValue] = {
            "http.request.method": method,
            "server.address": url.host or "",
            "server.port": url.port or 80,
            "url.template": template,
        }
        name = f"{method} {template}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=about) as span:
            span.set_attribute("url.full", str(url))
            headers: dict[str, str] = {}
            inject(headers)
            start = perf_counter()
            async with self._client.request(method, url, json=body, headers=headers) as response:
                answer = Answer(url.path, response.status, await response.read(), response.content_type)
            _note(span, answer.status_code)
            seen: dict[str, AttributeValue] = {
                "http.request.method": method,
                "url.template": template,
                "http.response.status_code": answer.status_code,
            }
            self._durations.record(perf_counter() - start, seen)
            return answer


def _note(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_status(Status(StatusCode.ERROR))
