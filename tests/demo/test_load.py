"""The visitors of the shop."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pilothouse.demo.shop.catalog import stock_up
from pilothouse.demo.shop.checkout import MOST_COUPONS, Order

Seen = Counter[str]


@pytest.fixture
def front_door() -> Iterator[tuple[str, Seen]]:
    """A server that counts the requests by method and first part of the path."""
    seen: Seen = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen[f"{self.command} /{self.path.split('/')[1].split('?')[0]}"] += 1
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def test_orders_are_what_checkout_takes() -> None:
    from pilothouse.demo.load import order

    sold = stock_up()
    orders = [Order.parse(order()) for _ in range(200)]
    assert all(one.items.keys() <= sold.keys() for one in orders)
    wallets = [len(one.coupons) for one in orders if one.coupons]
    assert 60 < len(wallets) < 140
    assert 13 <= min(wallets) <= max(wallets) <= MOST_COUPONS


def test_visitors_come_at_about_the_rate_and_leave_when_told(front_door: tuple[str, Seen]) -> None:
    address, seen = front_door
    environment = os.environ | {"SHOP_GATEWAY": address, "SHOP_RATE": "60"}
    with subprocess.Popen([sys.executable, "-m", "pilothouse.demo.load"], env=environment) as visitors:
        deadline = time.monotonic() + 60
        while not seen and time.monotonic() < deadline:
            time.sleep(0.02)
        began = time.monotonic()
        while seen.total() < 150 and time.monotonic() < deadline:
            time.sleep(0.02)
        rate = seen.total() / (time.monotonic() - began)
        visitors.terminate()
        assert visitors.wait(60) == 0
    # A busy machine makes them slower, nothing makes them quicker.
    assert 5 < rate < 120
    assert seen.keys() == {"GET /products", "POST /checkout"}
    assert 0.4 < seen["POST /checkout"] / seen.total() < 0.8


def test_visitors_stay_when_nobody_answers() -> None:
    environment = os.environ | {"SHOP_GATEWAY": "http://127.0.0.1:1", "SHOP_RATE": "100"}
    command = [sys.executable, "-m", "pilothouse.demo.load"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as visitors:
        assert visitors.stderr is not None
        assert "ConnectorError" in visitors.stderr.readline()
        assert visitors.poll() is None
        visitors.terminate()
        assert visitors.wait(60) == 0
