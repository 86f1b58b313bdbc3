"""OTLP log requests as a busy shop's services send them."""

from __future__ import annotations

import random
import re
from typing import Any

from bench.filling import Filling
from bench.resources import put

FREQUENT, RARE = "status=200", "java.lang.OutOfMemoryError: Java heap space"
ABSENT = "segmentation fault in libcrypto"
# {dN} is N digits, {hN} N hexadecimal digits; a word in braces is one of its list.
_SHAPES = (
    (9, "{method} {path}/{d7} HTTP/1.1 status=200 bytes={d5} duration={d2}.{d3}ms client=10.{d2}.{d2}.1{d2}:{d5} agent=\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\" request_id={h8}-{h4}-4{h3}-a{h3}-{h12}"),
    (9, "{method} {path}/{d7}/items?page={d2}&size=50 HTTP/1.1 status=200 bytes={d6} duration={d2}.{d3}ms client=10.{d2}.{d2}.1{d2}:{d5} upstream={service}.shop.svc.cluster.local:8080 request_id={h32}"),
    (9, "[{thread}-{d2}] com.example.shop.{service}.OrderService - Order {d8} of customer c-{h10} accepted: {d1} items, total {d3}.{d2} EUR, shipping by {carrier}, expected on 2026-12-{d2}"),
    (9, "[{thread}-{d2}] com.example.shop.{service}.Consumer - consumed topic=orders.v2 partition={d2} offset={d9} key={h16} lag={d3} in {d2}.{d2} ms, acknowledged by broker-{d1}"),
    (9, "{\"event\":\"cart.updated\",\"user\":\"u-{d7}\",\"sku\":\"{h4}-{h6}\",\"quantity\":{d1},\"price_cents\":{d5},\"currency\":\"EUR\",\"session\":\"{h24}\",\"experiment\":\"checkout-button-{d1}\"}"),
    (9, "{\"event\":\"payment.authorized\",\"order\":\"{d8}\",\"provider\":\"{carrier}\",\"amount_cents\":{d5},\"currency\":\"EUR\",\"risk\":0.{d3},\"authorization\":\"{h32}\"}"),
    (5, "[{thread}-{d2}] org.hibernate.SQL - select o.id, o.customer_id, o.total, o.created_at from orders o where o.customer_id='c-{h10}' and o.id > {d8} order by o.created_at desc limit 50 -- {d1}.{d3} ms, {d2} rows"),
    (5, "[{thread}-{d2}] redis.clients.jedis.Connection - GET session:{h24} -> {d4} bytes in 0.{d3} ms (pool active={d2} idle={d2} waiters=0)"),
    (13, "[{thread}-{d2}] com.example.shop.{service}.Retry - attempt 2 of 5 for {method} http://{service}.shop.svc.cluster.local:8080{path}/{d7} after 503 Service Unavailable, backing off {d3} ms, trace {h32}"),
    (13, "[{thread}-{d2}] com.zaxxer.hikari.pool.PoolBase - HikariPool-1 - Failed to validate connection conn{d5}: org.postgresql.jdbc.PgConnection@{h8} (This connection has been closed.) Possibly consider using a shorter maxLifetime value."),
    (17, "{method} {path}/{d7} HTTP/1.1 status=502 bytes={d3} duration={d4}.{d3}ms client=10.{d2}.{d2}.1{d2}:{d5} error=\"upstream connect error or disconnect/reset before headers\" request_id={h32}"),
    (17, "[{thread}-{d2}] com.example.shop.{service}.Handler - java.net.SocketTimeoutException: Read timed out after {d4} ms calling {service}.shop.svc.cluster.local:8080 for order {d8}\\n\\tat java.net.SocketInputStream.read(SocketInputStream.java:186)"),
)  # fmt: skip
_WEIGHTS = (22, 14, 12, 10, 12, 6, 8, 7, 4, 2, 2, 1)
_WORDS = {
    "method": ("GET", "GET", "GET", "POST", "PUT", "DELETE"),
    "path": ("/api/v2/cart", "/api/v2/orders", "/api/v1/catalog/products", "/api/v1/customers", "/internal/stock"),
    "thread": ("http-nio-8080-exec", "grpc-default-executor", "kafka-consumer", "scheduler"),
    "service": ("checkout", "payment", "inventory", "pricing", "catalog", "orders"),
    "carrier": ("stripe", "adyen", "klarna", "dhl", "ups", "dpd"),
}
_PLACE = re.compile(r"\{(?:([dh])(\d+)|([a-z]+))\}")
_NAMES = {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"}


def add_record(record: Any, filling: Filling, chosen: random.Random, which: int, records: int) -> None:
    """Fill in one LogRecord, number `which` of a request."""
    offset = which * 1_000_000_000 // records + chosen.randrange(500_000)
    severity, shape = chosen.choices(_SHAPES, _WEIGHTS)[0]
    record.time_unix_nano = filling.time(offset)
    record.severity_number, record.severity_text = severity, _NAMES[severity]
    record.body.string_value = filling.line(written(shape, filling, chosen))
    put(
        record.attributes,
        {
            "log.logger": f"com.example.shop.{chosen.choice(_WORDS['service'])}",
            "thread.name": f"{chosen.choice(_WORDS['thread'])}-{chosen.randrange(64)}",
            "http.request.method": chosen.choice(_WORDS["method"]),
            "http.response.status_code": 502 if severity == 17 else 200,
            "enduser.id": f"u-{filling.digits(7)}",
        },
    )
    if which % 10 < 7:
        record.trace_id = filling.identifier(2 * which, 16)
        record.span_id = filling.identifier(2 * which + 1, 8)
    record.observed_time_unix_nano = filling.time(offset + 40_000)


def written(shape: str, filling: Filling, chosen: random.Random) -> str:
    """The shape with its places filled in."""

    def put_in(place: re.Match[str]) -> str:
        kind, count, word = place.groups()
        if word:
            return chosen.choice(_WORDS[word])
        return filling.digits(int(count)) if kind == "d" else filling.hexadecimal(int(count))

    return _PLACE.sub(put_in, shape)
