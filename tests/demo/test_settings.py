"""How a service of the shop reads its environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from pilothouse.demo.shop.settings import Settings, SettingsError


def test_all_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SHOP_", "PYROSCOPE_"))]:
        monkeypatch.delenv(name)
    assert Settings.from_environment() == Settings("127.0.0.1:8080", "", "", "", "", "")


def test_an_address_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_LISTEN", "127.0.0.1:0")
    with Settings.from_environment().socket() as listening:
        socket.create_connection(listening.getsockname()).close()


def test_an_open_socket_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("SHOP_LISTEN", f"fd:{opened.fileno()}")
    with Settings.from_environment().socket() as listening:
        assert listening.getsockname() == opened.getsockname()
        opened.detach()


@pytest.mark.parametrize("listen", ["", "8080", "fd:x", "fd:9999", "127.0.0.1:x", "256.0.0.1:1"])
def test_a_bad_address_is_named(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    monkeypatch.setenv("SHOP_LISTEN", listen)
    settings = Settings.from_environment()
    with pytest.raises(SettingsError, match="SHOP_LISTEN="):
        settings.socket()


def test_a_service_that_cannot_listen_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = os.environ | {"SHOP_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"}
        command = [sys.executable, "-m", "pilothouse.demo.shop.catalog"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "SHOP_LISTEN='127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stderr
