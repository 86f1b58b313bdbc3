"""OTLP's own port without a router: what it answers itself, what it leaves to the app, and who goes away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilothouse.signals.receive.otlp import Receiver
from pilothouse.signals.receive.otlp_http import Direct


class _Port:
    """One call of the port, with what was sent back."""

    def __init__(self) -> None:
        self.left_to_the_app: list[str] = []
        # Nothing of these calls comes as far as the journal.
        self._direct = Direct(self._app, Receiver(None), 1000)  # type: ignore[arg-type]

    def call(self, method: str, path: str, *received: dict[str, Any], media: str = "text/plain") -> list[Any]:
        sent: list[Any] = []
        waiting = list(received)

        async def receive() -> Any:
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", media.encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        asyncio.run(self._direct(scope, receive, send))
        return sent

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.left_to_the_app.append(f"{scope['method']} {scope['path']}")


@pytest.mark.parametrize("kind", ["logs", "metrics", "traces"])
def test_it_answers_the_three_endpoints(kind: str) -> None:
    port = _Port()
    assert port.call("POST", f"/v1/{kind}")[0]["status"] == 415
    assert port.left_to_the_app == []


@pytest.mark.parametrize("call", ["GET /v1/logs", "POST /v1/profiles", "POST /v1/logs/", "OPTIONS /v1/traces"])
def test_everything_else_is_left_to_the_app(call: str) -> None:
    port, (method, path) = _Port(), call.split()
    assert port.call(method, path) == []
    assert port.left_to_the_app == [call]


def test_who_goes_away_in_the_middle_of_a_body_is_not_answered() -> None:
    begun = {"type": "http.request", "body": b"\x0a\x10", "more_body": True}
    sent = _Port().call("POST", "/v1/logs", begun, {"type": "http.disconnect"}, media="application/x-protobuf")
    assert sent == []
