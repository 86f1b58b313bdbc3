"""How the shop tells of its failures: a partner that does not answer, a service that is gone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from pilothouse.demo.processes import Processes
from pilothouse.demo.repository import pricing
from pilothouse.demo.system import Service, System
from tests.demo.sink import Record, Sink, values

ORDER = {"items": {"lamps-03": 1}}


@dataclass
class Behind:
    """Stands where catalog and payments are: sells lamps and answers charges with the statuses in turn."""

    statuses: list[int] = field(default_factory=list)
    charges: list[dict[str, object]] = field(default_factory=list)
    traceparents: list[str | None] = field(default_factory=list)
    address: str = ""

    def script(self, *statuses: int) -> None:
        """What to answer from now on; then 201."""
        self.statuses[:] = statuses
        self.charges.clear()


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    """The stand-in, listening."""
    scripted = Behind()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, {"lamps-03": 1000})

        def do_POST(self) -> None:
            scripted.charges.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            scripted.traceparents.append(self.headers.get("traceparent"))
            status = scripted.statuses.pop(0) if scripted.statuses else 201
            self._answer(status, {"charge": "ch-1"} if status == 201 else {"error": "no"})

        def _answer(self, status: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield scripted
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Shop:
    """A checkout before the stand-in, and a gateway before nothing."""

    checkout: Service
    lonely: Service


@pytest.fixture(scope="module")
def shop(sink: Sink, processes: Processes, behind: Behind) -> Shop:
    """Both, ready."""
    system = System(processes, (sink.http, sink.grpc, sink.http), processes.check)
    settings = {"SHOP_CATALOG": behind.address, "SHOP_PAYMENTS": behind.address, "SHOP_PRICING": str(pricing())}
    checkout = system.start_service("checkout", "1.0.0", **settings)
    nowhere = "http://127.0.0.1:1"
    lonely = system.start_service("gateway", "3.0.2", SHOP_CATALOG=nowhere, SHOP_CHECKOUT=nowhere)
    system.wait_ready(checkout.address, lonely.address)
    system.close()
    return Shop(checkout, lonely)


def logged(sink: Sink, service: str, text: str) -> Record:
    """The log record with this text, once it is there."""

    def found() -> list[Record]:
        logs = [one for one in sink.logs if one.resource["service.name"] == service]
        return [one for one in logs if text in one.body.body.string_value]

    sink.wait(lambda _: found())
    return found()[0]


def span_of(sink: Sink, log: Record) -> Record:
    """The span in which something was logged."""

    def found() -> list[Record]:
        return [one for one in sink.spans if one.body.span_id == log.body.span_id]

    sink.wait(lambda _: found())
    return found()[0]


def test_an_order_is_charged_in_its_own_trace(shop: Shop, behind: Behind) -> None:
    behind.script()
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = httpx.post(f"{shop.checkout.address}/checkout", json=ORDER, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["cents"] == 1000
    assert behind.charges[-1]["cents"] == 1000
    assert trace in str(behind.traceparents[-1])


def test_a_payment_is_tried_twice(shop: Shop, behind: Behind, sink: Sink) -> None:
    behind.script(504)
    assert httpx.post(f"{shop.checkout.address}/checkout", json=ORDER).status_code == 201
    assert len(behind.charges) == 2
    assert behind.charges[0] == behind.charges[1]
    warning = logged(sink, "checkout", "answered 504, trying again")
    assert warning.body.severity_text == "WARN"
    assert [event.name for event in span_of(sink, warning).body.events] == ["payment retried"]


def test_a_payment_that_fails_twice_fails_the_order(shop: Shop, behind: Behind, sink: Sink) -> None:
    behind.script(504, 504)
    assert httpx.post(f"{shop.checkout.address}/checkout", json=ORDER).status_code == 502
    error = logged(sink, "checkout", "failed with 504")
    assert error.body.severity_text == "ERROR"
    span = span_of(sink, error).body
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert values(span.attributes)["http.response.status_code"] == 502


def test_a_declined_card_is_the_customers_matter(shop: Shop, behind: Behind) -> None:
    behind.script(402)
    assert httpx.post(f"{shop.checkout.address}/checkout", json=ORDER).status_code == 402
    assert len(behind.charges) == 1


def test_orders_are_counted_by_how_they_ended(shop: Shop, behind: Behind, sink: Sink) -> None:
    httpx.post(f"{shop.checkout.address}/checkout", json={})

    def outcomes() -> set[str]:
        counters = [one.body.sum for one in sink.metrics if one.body.name == "shop.orders"]
        points = counters[-1].data_points if counters else []
        return {values(point.attributes)["shop.order.outcome"] for point in points}

    sink.wait(lambda _: outcomes() == {"placed", "failed", "declined", "invalid"})


@pytest.mark.parametrize(
    ("service", "method", "path"), [("catalog", "GET", "/products"), ("checkout", "POST", "/checkout")]
)
def test_a_service_that_is_gone_is_named(shop: Shop, sink: Sink, service: str, method: str, path: str) -> None:
    answer = httpx.request(method, f"{shop.lonely.address}{path}", json=ORDER)
    assert answer.status_code == 502
    assert answer.json() == {"error": f"{service} cannot be reached"}
    error = logged(sink, "gateway", f"{service} cannot be reached")
    span = span_of(sink, error).body
    (event,) = span.events
    assert event.name == "exception"
    assert values(event.attributes)["exception.type"].endswith("ConnectorError")


def test_the_failed_call_has_a_client_span_with_the_exception(shop: Shop, sink: Sink) -> None:
    def failed() -> list[Record]:
        clients = [one for one in sink.spans if one.resource["service.name"] == "gateway" and one.body.kind == 3]
        return [one for one in clients if one.body.status.code == 2]

    sink.wait(lambda _: len(failed()) >= 2)
    assert all(one.body.events[0].name == "exception" for one in failed())
    assert {one.body.name for one in failed()} >= {"GET /products", "POST /checkout"}
