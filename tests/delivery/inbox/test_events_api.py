"""The API of events: listed, as lines for replay, tried again; what it does not know is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from pilothouse.delivery.forges import Event, event_from_json
from pilothouse.delivery.inbox import Inbox, api
from pilothouse.server.guarding import HANDLERS
from tests.delivery.app_client import AppClient


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox(f"sqlite:///{tmp_path / 'control.db'}")
    for number in (1, 2, 3):
        opened.put_now(Event(f"d{number}", "github", "acme/shop", "comment", "created", number, "mia"))
    asyncio.run(opened.ignore("github", "d4", "star", "Pilothouse has no use for it"))
    yield opened
    opened.close()


@pytest.fixture
def client(inbox: Inbox) -> AppClient:
    return AppClient(Starlette(routes=api.routes(inbox), exception_handlers=HANDLERS))


def test_events_are_listed_newest_first(client: AppClient) -> None:
    found = client.get("/api/delivery/events").json()
    assert [one["delivery"] for one in found["events"]] == ["d4", "d3", "d2", "d1"]
    assert found["counts"] == {"waiting": 3, "ignored": 1}
    assert found["events"][1]["event"]["sender"] == "mia"
    assert found["events"][0]["event"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [("number=2", ["d2"]), ("state=ignored", ["d4"]), ("repository=acme/shop&limit=2", ["d3", "d2"]), ("since=1h",
     ["d4", "d3", "d2", "d1"]), ("repository=acme/other", [])],
)  # fmt: skip
def test_they_are_narrowed(client: AppClient, query: str, expected: list[str]) -> None:
    found = client.get(f"/api/delivery/events?{query}").json()
    assert [one["delivery"] for one in found["events"]] == expected


def test_lines_are_the_events_in_order_for_replay(client: AppClient) -> None:
    answer = client.get("/api/delivery/events?format=lines&repository=acme/shop")
    events = [event_from_json(json.dumps(json.loads(line)["event"])) for line in answer.text.splitlines()]
    assert [one.number for one in events] == [1, 2, 3]


@pytest.mark.parametrize("query", ["number=x", "number=0", "state=lost", "since=soon", "format=xml", "limit=0", "a=x"])
def test_what_is_not_known_is_refused_by_its_name(client: AppClient, query: str) -> None:
    answer = client.get(f"/api/delivery/events?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == query.partition("=")[0]


def test_one_that_was_set_aside_can_be_tried_again(client: AppClient, inbox: Inbox) -> None:
    taken = asyncio.run(inbox.take_now())
    assert taken is not None
    asyncio.run(inbox.failed(taken, "no such branch", for_good=True))
    assert client.get(f"/api/delivery/events/{taken.id}").json()["reason"] == "no such branch"
    assert client.post(f"/api/delivery/events/{taken.id}/retry").json() == {"retried": taken.id}
    assert client.post(f"/api/delivery/events/{taken.id}/retry").status_code == 400
    assert client.get("/api/delivery/events/99").status_code == 404
