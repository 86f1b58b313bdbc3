"""Routes that are loaded late are found all the same, and only when they are asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pilothouse.server.app import _routes as all_routes
from pilothouse.server.config import Config
from pilothouse.server.late import Late, LateCalls
from tests.delivery.app_client import AppClient
from tests.running import RunningServer


async def _said(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"late {request.path_params}")


def _client(loaded: list[str]) -> AppClient:
    def load_routes() -> list[Route]:
        loaded.append("late")
        return [Route("/late/{name}", _said, methods=["POST"]), Route("/late/{name}/more", _said)]

    early = Route("/late/early", lambda request: PlainTextResponse("early"))
    return AppClient(Starlette(routes=[early, Late("/late/", load_routes)]))


def test_they_are_loaded_once_and_only_for_their_paths() -> None:
    loaded: list[str] = []
    client = _client(loaded)
    assert client.get("/late/early").text == "early"
    assert client.get("/other").status_code == 404
    assert loaded == []
    assert client.post("/late/x").text == "late {'name': 'x'}"
    assert client.get("/late/x/more").text == "late {'name': 'x'}"
    assert client.get("/late/x").status_code == 405
    assert client.get("/late/x/nothing").status_code == 404
    assert loaded == ["late"]


def test_calls_are_loaded_once_and_only_for_their_prefix() -> None:
    handler = MagicMock()
    load = MagicMock(return_value=handler)
    late = LateCalls("/questions.Service/", load)
    assert late.service(MagicMock(method="/others.Service/Export")) is None
    load.assert_not_called()
    asked = MagicMock(method="/questions.Service/Ask")
    assert late.service(asked) is late.service(asked) is handler.service.return_value
    handler.service.assert_called_with(asked)
    load.assert_called_once_with()


def test_every_path_begins_as_its_group_says() -> None:
    rooms: Any = MagicMock()
    rooms.config, rooms.pipelines = Config(), None
    groups = [route for route in all_routes(rooms, {}) if isinstance(route, Late)]
    assert len(groups) >= 5
    for group in groups:
        for route in group.routes:
            path = getattr(route, "path", "")
            assert group.pattern.match(path), f"{path} is never asked of {group.pattern.pattern}"


@pytest.mark.parametrize("path", ["/loki/api/v1/labels", "/prometheus/api/v1/labels", "/tempo/api/search", "/api/slos"])
def test_a_server_answers_at_once(server: RunningServer, path: str) -> None:
    assert httpx.get(server.http + path, timeout=60).status_code == 200


def test_a_start_does_not_read_query_languages() -> None:
    late = ("lark", "httpx", "scipy", "pandas", "pilothouse.server.jaeger_calls")
    code = f"import sys, pilothouse.server.process\nprint(*(name for name in {late} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
