"""Server spans and metrics for every HTTP request that a service answers (ASGI middleware).

Names and attributes follow the HTTP semantic conventions:
https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
"""

from time import perf_counter

from opentelemetry import metrics, trace
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


class IncomingRequests:
    """One SERVER span and one `http.server.request.duration` measurement for each request.

    The caller's trace goes on when the request has a `traceparent` header (W3C Trace Context). The
    measurement is taken inside the span, so that the SDK attaches the trace id as an exemplar. Paths below
    `/-/` are for operators and stay out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("shop.http.server")
        meter = metrics.get_meter("shop.http.server")
        self._durations = meter.create_histogram(
            "http.server.request.duration",
            "s",
            "Duration of HTTP server requests",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._active = meter.create_up_down_counter(
            "http.server.active_requests", "{request}", "HTTP requests being answered"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, measured."""
        if scope["type"] != "http" or scope["path"].startswith("/-/"):
            await self._app(scope, receive, send)
            return
        method = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            scope["method"], extract(headers), SpanKind.SERVER, {**method, "url.path": scope["path"]}
        ) as span:
            self._active.add(1, method)
            try:
                await self._measured(span, scope, receive, send)
            finally:
                self._active.add(-1, method)

    async def _measured(self, span: Span, scope: Scope, receive: Receive, send: Send) -> None:
        start, status = perf_counter(), 500

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_status)
        finally:
            told = _told(scope, status)
            span.update_name(f"{scope['method']} {told['http.route']!s}")
            span.set_attributes(told)
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR))
            self._durations.record(perf_counter() - start, {"http.request.method": scope["method"], **told})


def _told(scope: Scope, status: int) -> dict[str, AttributeValue]:
    route = getattr(scope.get("route"), "path", "unmatched")
    return {"http.route": route, "http.response.status_code": status}
