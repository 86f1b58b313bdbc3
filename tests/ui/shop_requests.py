"""One request through the shop: its spans, and the lines that were logged on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

MILLISECOND = 1_000_000
INTERNAL, SERVER, CLIENT = 1, 2, 3
SEVERITIES = {9: "INFO", 13: "WARN", 17: "ERROR"}


@dataclass
class Line:
    """A log record of a span."""

    at: int
    severity: int
    text: str
    trace_id: bytes
    span_id: bytes
    attributes: dict[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As OTLP has it."""
        return {
            "time_unix_nano": self.at,
            "severity_number": self.severity,
            "severity_text": SEVERITIES[self.severity],
            "body": {"string_value": self.text},
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "attributes": pairs(self.attributes),
        }


@dataclass
class Call:
    """A span, with what it logged."""

    service: str
    version: str
    name: str
    kind: int
    start: int
    end: int
    trace_id: bytes
    span_id: bytes
    parent: bytes = b""
    failed: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def span(self) -> dict[str, Any]:
        """As OTLP has it; a failure is also an event."""
        events = [
            {"time_unix_nano": self.end, "name": "exception",
             "attributes": pairs({"exception.type": "GatewayTimeout", "exception.message": self.failed})}
        ] if self.failed else []  # fmt: skip
        return {
            "trace_id": self.trace_id, "span_id": self.span_id, "parent_span_id": self.parent, "name": self.name,
            "kind": self.kind, "start_time_unix_nano": self.start, "end_time_unix_nano": self.end,
            "attributes": pairs(self.attributes), "events": events,
            "status": {"code": 2, "message": self.failed} if self.failed else {},
        }  # fmt: skip

    def log(self, severity: int, text: str, **attributes: str) -> None:
        """Adds a line a little before the span's end."""
        self.lines.append(Line(self.end - 20_000, severity, text, self.trace_id, self.span_id, attributes))


def pairs(attributes: dict[str, str]) -> list[dict[str, Any]]:
    """OTLP's list of attributes."""
    return [{"key": key, "value": {"string_value": value}} for key, value in attributes.items()]


def request_at(numbers: random.Random, at: int, version: str, spike: bool) -> list[Call]:
    """The nine spans of one order; the worst of it in checkout 2.0.0, and in the database during the spike."""
    trace = numbers.randbytes(16)
    order = numbers.getrandbits(40)
    slow = version == "2.0.0" and numbers.random() < 0.5
    database = numbers.lognormvariate(0.9, 0.3) * (25 if spike else 1)
    price = numbers.lognormvariate(0.7, 0.3) + (26 if slow else 0)
    charge = numbers.lognormvariate(1.6, 0.4)
    failed = numbers.random() < (0.06 if version == "2.0.0" else 0.01)

    def call(service: str, of: str, name: str, kind: int, begin: float, took: float, parent: Call | None) -> Call:
        start = at + int(begin * MILLISECOND)
        return Call(
            service, of, name, kind, start, start + int(took * MILLISECOND), trace, numbers.randbytes(8),
            parent.span_id if parent else b"", attributes={},
        )  # fmt: skip

    prices = database + 1.1
    total = prices + price + charge + 2.4
    gate = call("gateway", "3.1.0", "POST /buy", SERVER, 0, total + 2.2, None)
    out = call("gateway", "3.1.0", "POST /checkout", CLIENT, 0.6, total + 1.0, gate)
    checkout = call("checkout", version, "POST /checkout", SERVER, 1.1, total, out)
    ask = call("checkout", version, "GET /prices", CLIENT, 1.5, prices + 0.8, checkout)
    catalog = call("catalog", "2.2.1", "GET /prices", SERVER, 1.9, prices, ask)
    select = call("catalog", "2.2.1", "SELECT prices", CLIENT, 2.3, database, catalog)
    cart = call("checkout", version, "price_cart", INTERNAL, 2.6 + prices, price, checkout)
    pay = call("checkout", version, "POST /charges", CLIENT, 2.9 + prices + price, charge, checkout)
    payments = call("payments", "1.4.0", "POST /charges", SERVER, 3.3 + prices + price, max(charge - 0.8, 0.3), pay)
    select.attributes |= {
        "db.system.name": "postgresql",
        "db.query.text": "SELECT sku, cents FROM prices WHERE sku = $1",
    }
    for served in (gate, checkout, catalog, payments):
        method, route = served.name.split()
        served.attributes |= {"http.request.method": method, "http.route": route, "http.response.status_code": "200"}
    _log(numbers, checkout, payments, select, order, slow, spike)
    if failed:
        for broken in (payments, pay, checkout):
            broken.failed = "card gateway timed out"
        checkout.attributes["http.response.status_code"] = "502"
        checkout.log(17, f"payment for order ord-{order:010x} failed with 502: card gateway timed out")
    return [gate, out, checkout, ask, catalog, select, cart, pay, payments]


def _log(
    numbers: random.Random, checkout: Call, payments: Call, select: Call, order: int, slow: bool, spike: bool
) -> None:
    cents = numbers.randrange(300, 9000)
    checkout.log(9, f"order ord-{order:010x} placed: {numbers.randrange(1, 7)} items for {cents} cents", tier="gold")
    payments.log(9, f'level=info msg="charged" order=ord-{order:010x} cents={cents} card=visa')
    if slow and numbers.random() < 0.4:
        checkout.log(17, f"coupon {numbers.randrange(100, 999)} could not be combined for order ord-{order:010x}")
    if spike:
        took = (select.end - select.start) / MILLISECOND
        select.log(13, f'{{"message":"slow query","table":"prices","took_ms":{took:.1f}}}')
