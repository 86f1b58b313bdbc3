"""The built-in forge with its state in a real PostgreSQL, shared by two processes' worth of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.delivery.forges import Event, Status
from pilothouse.delivery.forges.local import House
from tests.delivery.forges.conftest import Shop, fill
from tests.delivery.inbox.test_postgresql import url

__all__ = ["url"]


@pytest.fixture
def shops(url: str, tmp_path: Path) -> Iterator[list[Shop]]:
    made = []
    for _ in range(2):
        events: list[Event] = []
        house = House(tmp_path / "forge", url, events.append)
        house.open()
        made.append(Shop(house, events))
    fill(made[0])
    yield made
    for one in made:
        one.house.close()


def test_a_pull_request_from_two_processes(shops: list[Shop]) -> None:
    one, other = shops
    number = one.pull("fast", {"a": b"1"})
    head = other.bot.pull_request("shop/cart", number).head.sha

    def label(shop: Shop, name: str) -> None:
        for count in range(10):
            shop.bot.add_labels("shop/cart", number, [f"{name}/{count}"])
            shop.bot.add_comment("shop/cart", number, f"{name} {count}", key=name)

    threads = [threading.Thread(target=label, args=(shop, name)) for shop, name in ((one, "left"), (other, "right"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.bot.pull_request("shop/cart", number).labels) == 20
    assert sorted(comment.body for comment in one.bot.comments("shop/cart", number)) == ["left 9", "right 9"]
    other.bot.set_status("shop/cart", head, Status("success", "ran", "ci/test"))
    merged = one.by("bob").merge("shop/cart", number, "squash", head)
    assert other.bot.merge("shop/cart", number, "squash", head) == merged
    assert other.bot.branches("shop/cart")["main"] == merged
    # Each is told by one of them at least; an inbox knows each by its delivery.
    told = {event.delivery: event for event in (*one.events, *other.events)}.values()
    kinds = [event.action for event in told if event.kind == "pull_request"]
    assert (kinds.count("labeled"), kinds.count("merged"), kinds.count("opened")) == (20, 1, 1)
