"""The whole way, with a server as its users run it: a webhook of a forge elsewhere leads to acts on that forge."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.delivery.forges.conftest import Shop, filled
from tests.delivery.forges.stand_ins.forgejo import ForgejoStandIn
from tests.delivery.forges.stand_ins.serving import served
from tests.running import RunningServer, start_server

CART, SECRET = "shop/cart", "hush-hush"


@dataclass
class Connected:
    """A server, and the forge that it is connected to."""

    server: RunningServer
    shop: Shop
    stand: ForgejoStandIn

    def send(self, kind: str, body: dict[str, Any], identity: str, secret: str = SECRET) -> httpx.Response:
        """A delivery as Forgejo sends it."""
        raw = json.dumps(body).encode()
        signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-forgejo-event": kind, "x-forgejo-delivery": identity,
                   "x-forgejo-signature": signature}  # fmt: skip
        return httpx.post(f"{self.server.http}/webhooks/forgejo", content=raw, headers=headers, timeout=60)

    def payload(self, number: int, **more: Any) -> dict[str, Any]:
        """What every delivery about a pull request has."""
        pull = self.stand.pull(self.shop.bot.pull_request(CART, number))
        return {"repository": self.stand.repository(CART), "sender": self.stand.user("bob"), "number": number,
                "pull_request": pull} | more  # fmt: skip


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    directory = tmp_path_factory.mktemp("live")
    shop = filled(directory / "theirs")
    stand = ForgejoStandIn(shop, "")
    with served(stand, "/api/v1") as base:
        tables = {"forgejo": {"url": base, "token": "env:FORGE_TOKEN", "webhook_secret": "env:HOOK_SECRET",
                              "repositories": [CART]}}  # fmt: skip
        (directory / "ours").mkdir()
        server = start_server(directory / "ours", PILOTHOUSE_FORGES=json.dumps(tables), FORGE_TOKEN=stand.token,
                              HOOK_SECRET=SECRET)  # fmt: skip
        yield Connected(server, shop, stand)
        server.stop()
    shop.house.close()


def until(true: Callable[[], Any], words: str) -> None:
    """Wait for something to be so, generously."""
    ends = time.monotonic() + 90
    while not true():
        assert time.monotonic() < ends, words
        time.sleep(0.05)


def test_a_webhook_leads_to_acts_on_the_forge(connected: Connected, tmp_path: Path) -> None:
    number = connected.shop.pull("fast", {"src/a.py": b"a = 2\n"})
    opened = connected.payload(number, action="opened")
    assert connected.send("pull_request", opened, "d-1", "guessed").status_code == 401
    assert connected.send("pull_request", opened, "d-1").json() == {"delivery": "d-1", "taken": 1}
    labels = lambda: connected.shop.bot.pull_request(CART, number).labels  # noqa: E731
    until(lambda: "size/XS" in labels(), "the size is told on the forge: " + connected.server.log.read_text()[-2000:])
    said = connected.shop.by("ann").add_comment(CART, number, "/hold until Monday")
    told = {"action": "created", "is_pull": True, "sender": connected.stand.user("ann"), "comment":
            connected.stand.comment(said), "issue": {"number": number}}  # fmt: skip
    body = connected.payload(number) | told
    assert connected.send("issue_comment", body, "d-2").json()["taken"] == 1
    until(lambda: "do-not-merge/hold" in labels(), "the hold is there")
    again = connected.send("issue_comment", body, "d-3").json()
    assert (again["taken"], again["seen"]) == (0, True)
    until(lambda: connected.server.get("/api/delivery/events")["counts"] == {"done": 2}, "both are worked off")
    log = connected.server.log.read_text()
    assert SECRET not in log
    assert connected.stand.token not in log
