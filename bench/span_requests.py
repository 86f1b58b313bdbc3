"""OTLP trace requests: traces of some ten spans, servers and clients, with the HTTP and database conventions."""

from __future__ import annotations

import random
from typing import Any

from bench.filling import Filling
from bench.resources import put

_SPANS_A_TRACE = 10
_OPERATIONS = ("GET /api/v2/cart/{id}", "POST /api/v2/orders", "GET /api/v1/products/{id}", "GET /internal/stock/{sku}")


def add_span(span: Any, filling: Filling, chosen: random.Random, which: int, spans: int) -> None:
    """Fill in one Span, number `which` of a request."""
    trace, place = divmod(which, _SPANS_A_TRACE)
    start = which * 1_000_000_000 // spans + chosen.randrange(500_000)
    duration = int(chosen.lognormvariate(15.5, 1.0))
    trace_id = spans + trace
    span.trace_id = filling.identifier(trace_id, 16)
    span.span_id = filling.identifier(which, 8)
    if place:
        span.parent_span_id = filling.identifier(trace * _SPANS_A_TRACE + (place - 1) // 2, 8)
    span.flags = 257
    span.start_time_unix_nano = filling.time(start)
    span.end_time_unix_nano = filling.time(start + duration)
    failed = chosen.random() < 0.02
    kind = place % 3
    if kind == 2:
        span.name, span.kind = "SELECT shop.orders", 3
        put(span.attributes, _database(filling, chosen))
    else:
        span.name, span.kind = chosen.choice(_OPERATIONS), 2 + kind
        put(span.attributes, _http(filling, chosen, failed))
    if failed:
        span.status.code, span.status.message = 2, "upstream timed out"
    if failed or which % 25 == 0:
        _add_event(span.events.add(), filling, start + duration // 2)


def _http(filling: Filling, chosen: random.Random, failed: bool) -> dict[str, str | int | float | bool]:
    return {
        "http.request.method": chosen.choice(("GET", "GET", "POST")),
        "url.path": f"/api/v2/cart/{filling.digits(7)}",
        "http.route": "/api/v2/cart/{id}",
        "http.response.status_code": 502 if failed else 200,
        "server.address": "cart.shop.svc.cluster.local",
        "server.port": 8080,
        "client.address": f"10.{filling.digits(2)}.{filling.digits(2)}.1{filling.digits(2)}",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "network.protocol.version": "1.1",
        "thread.id": chosen.randrange(64),
    }


def _database(filling: Filling, chosen: random.Random) -> dict[str, str | int | float | bool]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.collection.name": "orders",
        "db.operation.name": "SELECT",
        "db.query.text": "select id, customer_id, total from orders where customer_id = $1 and id > $2 limit 50",
        "db.response.returned_rows": chosen.randrange(50),
        "server.address": f"pg-{chosen.randrange(3)}.shop.svc.cluster.local",
        "enduser.id": f"u-{filling.digits(7)}",
    }


def _add_event(event: Any, filling: Filling, offset: int) -> None:
    event.time_unix_nano = filling.time(offset)
    event.name = "exception"
    put(
        event.attributes,
        {
            "exception.type": "java.net.SocketTimeoutException",
            "exception.message": f"Read timed out after {filling.digits(4)} ms",
        },
    )
