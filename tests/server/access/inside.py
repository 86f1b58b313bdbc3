"""The server's rooms in this process, asked without a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import Route
from starlette.testclient import TestClient

from pilothouse.server.access.tokens import TokenStore
from pilothouse.server.app import _routes, main_app, otlp_app
from pilothouse.server.config import Config
from pilothouse.server.late import Late
from pilothouse.server.process import Process


@dataclass(frozen=True)
class Inside:
    """A process with its two HTTP ports as clients, and its tokens."""

    process: Process
    http: TestClient
    otlp: TestClient
    tokens: TokenStore


@contextmanager
def inside(data: Path, **settings: Any) -> Iterator[Inside]:
    """A process with these settings that has begun, and binds no port."""
    process = Process(Config(data=data, **settings))
    try:
        process.begin()
        rooms = {name: house._rooms for name, house in process._houses().items()}
        address = "http://127.0.0.1:4000"
        http = TestClient(main_app(rooms, {}), address, raise_server_exceptions=False, follow_redirects=False)
        otlp = TestClient(otlp_app(rooms), address, raise_server_exceptions=False)
        yield Inside(process, http, otlp, process._access.tokens)
    finally:
        process.close()


def bearer(token: str, **more: str) -> dict[str, str]:
    """The headers of who has this token."""
    return {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}


def routes(process: Process) -> list[tuple[str, str]]:
    """All routes over HTTP, methods with paths as they are declared, those that are loaded late too."""
    found = (
        route
        for one in _routes(process._rooms, {})
        for route in (one.routes if isinstance(one, Late) else (one,))
        if isinstance(route, Route)
    )
    return sorted({(method, route.path) for route in found for method in route.methods or ()})
