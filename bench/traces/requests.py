"""Requests of spans with 15 attributes each: fresh ids, digits, starts and durations in every request.

Bodies come from templates whose bytes are filled anew (see `bench.filling`). A third of the spans are calls of a
database, the rest HTTP servers and clients; two in a hundred fail and have an event. A trace has ten spans of ten
services, so that its rows lie far apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.filling import Filling, Template
from bench.resources import attributes, put

SPANS_A_REQUEST = 1000
SPANS_A_TRACE = 10
RESOURCES = 100
_AT_ONCE = 10
_JITTER = 500_000.0
_ROUTES = ("/api/v2/cart/{id}", "/api/v2/orders", "/api/v1/products/{id}", "/internal/stock/{sku}", "/api/v2/login")


def requests(count: int, end: int, length: int) -> Iterator[bytes]:
    """`count` requests of 1,000 spans, evenly over the `length` nanoseconds before `end`."""
    generator = np.random.default_rng(1)
    templates = [_Template(first) for first in range(0, RESOURCES, _AT_ONCE)]
    for number in range(count):
        moment = end - length + length * number // count
        yield templates[number % len(templates)].fill(generator, moment, number).tobytes()


class _Template(Template):
    """Spreads the times: starts evenly backwards (a negative spread), ends lognormally forwards."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._spreads: Any = []
        super().__init__(self._build, SPANS_A_REQUEST)
        self._spreads = np.array(self._spreads)

    def fill(self, random: np.random.Generator, time: int, turn: int) -> Any:
        """A new request at `time`."""
        request = super().fill(random, time, turn)
        size = len(self._spreads)
        drawn = np.where(self._spreads < 0, random.random(size), random.lognormal(0.0, 1.0, size))
        times = time + self._offsets + (self._spreads * drawn).astype(np.int64)
        request[self._times] = times.view(np.uint8)
        return request

    def _build(self, filling: Filling) -> Any:
        chosen = random.Random(self._first)
        self._spreads = []
        request = ExportTraceServiceRequest()
        share = SPANS_A_REQUEST // _AT_ONCE
        for place in range(_AT_ONCE):
            resource = request.resource_spans.add()
            put(resource.resource.attributes, attributes(self._first + place))
            scope = resource.scope_spans.add()
            scope.scope.name, scope.scope.version = "io.opentelemetry.tomcat-10.0", "2.12.0-alpha"
            for which in range(place * share, (place + 1) * share):
                self._add(scope.spans.add(), filling, chosen, which)
        return request

    def _add(self, span: Any, filling: Filling, chosen: random.Random, which: int) -> None:
        place, trace = divmod(which, SPANS_A_REQUEST // SPANS_A_TRACE)
        start = trace * 10_000_000 + place * 1_000_000 + chosen.randrange(500_000)
        span.trace_id = filling.identifier(SPANS_A_REQUEST + trace, 16)
        span.span_id = filling.identifier(which, 8)
        if place:
            span.parent_span_id = filling.identifier((place - 1) // 2 * (SPANS_A_REQUEST // SPANS_A_TRACE) + trace, 8)
        span.flags = 257
        span.start_time_unix_nano = self._time(filling, start, -_JITTER)
        span.end_time_unix_nano = self._time(filling, start, chosen.choice((200_000.0, 3_000_000.0, 20_000_000.0)))
        failed = chosen.random() < 0.02
        if place % 3 == 2:
            span.name, span.kind = "SELECT shop.orders", 3
            put(span.attributes, _database(filling, chosen))
        else:
            route = chosen.choice(_ROUTES)
            span.name, span.kind = f"GET {route}", 2 + place % 3
            put(span.attributes, _http(filling, chosen, route, failed))
        if failed:
            span.status.code, span.status.message = 2, "upstream timed out"
            self._add_event(span.events.add(), filling, start)

    def _add_event(self, event: Any, filling: Filling, start: int) -> None:
        event.time_unix_nano = self._time(filling, start, 1_000_000.0)
        event.name = "exception"
        message = f"Read timed out after {filling.digits(4)} ms"
        put(event.attributes, {"exception.type": "java.net.SocketTimeoutException", "exception.message": message})

    def _time(self, filling: Filling, offset: int, spread: float) -> int:
        self._spreads.append(spread)
        return filling.time(offset)


def _http(filling: Filling, chosen: random.Random, route: str, failed: bool) -> dict[str, str | int | float | bool]:
    return {
        "http.request.method": chosen.choice(("GET", "GET", "POST")),
        "url.path": route.replace("{id}", filling.digits(6)).replace("{sku}", filling.digits(4)),
        "url.scheme": "http",
        "http.route": route,
        "http.response.status_code": 502 if failed else chosen.choice((200, 200, 200, 201, 304, 404)),
        "server.address": "cart.shop.svc.cluster.local",
        "server.port": 8080,
        "client.address": f"10.{chosen.randrange(4)}.{chosen.randrange(250)}.1{filling.digits(2)}",
        "network.peer.address": f"10.0.{chosen.randrange(250)}.17",
        "network.peer.port": 30000 + chosen.randrange(30000),
        "user_agent.original": chosen.choice(("Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12.0", "Go-http-client/2")),
        "network.protocol.version": "1.1",
        "thread.id": chosen.randrange(64),
        "thread.name": f"http-nio-8080-exec-{chosen.randrange(64)}",
        "enduser.id": f"u-{filling.digits(6)}",
    }


def _database(filling: Filling, chosen: random.Random) -> dict[str, str | int | float | bool]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.collection.name": "orders",
        "db.operation.name": "SELECT",
        "db.query.text": "select id, customer_id, total from orders where customer_id = $1 and id > $2 limit 50",
        "db.query.summary": "SELECT orders",
        "db.response.returned_rows": chosen.randrange(50),
        "db.client.connection.pool.name": "HikariPool-1",
        "server.address": f"pg-{chosen.randrange(3)}.shop.svc.cluster.local",
        "server.port": 5432,
        "network.peer.address": f"10.0.{chosen.randrange(250)}.9",
        "network.peer.port": 5432,
        "thread.id": chosen.randrange(64),
        "thread.name": f"http-nio-8080-exec-{chosen.randrange(64)}",
        "enduser.id": f"u-{filling.digits(6)}",
    }
