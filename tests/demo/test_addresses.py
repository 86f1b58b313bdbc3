"""Where the demo listens."""

from __future__ import annotations

import socket

import pytest

from pilothouse.demo import DemoOptions
from pilothouse.demo.addresses import choose_addresses, url
from pilothouse.demo.failures import AddressTakenError


def test_any_free_ports_differ() -> None:
    any_port = "127.0.0.1:0"
    chosen = choose_addresses(DemoOptions(http=any_port, otlp_grpc=any_port, otlp_http=any_port))
    assert len(set(chosen)) == 3
    for address in chosen:
        host, port = address.split(":")
        socket.create_server((host, int(port))).close()


def test_a_default_that_is_taken_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("pilothouse.demo.addresses.HTTP", address)
        chosen, _, _ = choose_addresses(DemoOptions(http=address, otlp_grpc="127.0.0.1:0", otlp_http="127.0.0.1:0"))
    assert chosen != address
    assert chosen.startswith("127.0.0.1:")


def test_a_chosen_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressTakenError, match=f"cannot listen on {address}"):
            choose_addresses(DemoOptions(http=address))


@pytest.mark.parametrize("address", ["", "4000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_what_is_no_address_is_an_error(address: str) -> None:
    with pytest.raises(AddressTakenError, match="HOST:PORT"):
        choose_addresses(DemoOptions(http=address))


def test_a_foreign_address_is_an_error() -> None:
    with pytest.raises(AddressTakenError, match="cannot listen on 192"):
        choose_addresses(DemoOptions(http="192.0.2.1:4000"))


@pytest.mark.parametrize(
    ("address", "reached_at"),
    [
        ("127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        (":80", "http://127.0.0.1:80"),
        ("[::1]:80", "http://[::1]:80"),
        ("[::]:80", "http://[::1]:80"),
        ("box.local:80", "http://box.local:80"),
    ],
)
def test_where_a_listener_is_reached(address: str, reached_at: str) -> None:
    assert url(address) == reached_at
