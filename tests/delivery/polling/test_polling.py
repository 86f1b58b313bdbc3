"""Polling tells what webhooks would have told: over a real built-in forge, and over GitHub's REST with ETags."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.control.opening import open_database
from pilothouse.delivery.forges import Event, ReadingForge
from pilothouse.delivery.forges.opening import open_forge
from pilothouse.delivery.forges.settings import ForgeSettings
from pilothouse.delivery.inbox import Inbox
from pilothouse.delivery.polling import Poller
from tests.delivery.forges.conftest import Shop, filled
from tests.delivery.forges.stand_ins.github import GitHubStandIn

CART = "shop/cart"


class Watched:
    """A forge that is polled by hand, and the events that came of it."""

    def __init__(self, directory: Path, forge: ReadingForge) -> None:
        url = f"sqlite:///{directory / 'polled.db'}"
        self.inbox = Inbox(url)
        self.database = open_database(url)
        self.forge = forge
        self.poller = self.begin()

    def begin(self) -> Poller:
        """Another process that goes on."""
        return Poller({self.forge.name: (self.forge, 60.0)}, self.inbox, self.database)

    def told(self) -> list[str]:
        """One look: the new events, shortly."""
        self.poller.look(self.forge.name)
        found = []
        while (taken := asyncio.run(self.inbox.take_now())) is not None:
            found.append(short(taken.event))
            asyncio.run(self.inbox.done(taken))
        return found

    def close(self) -> None:
        """Let go of the databases."""
        self.inbox.close()
        self.database.dispose()


def short(event: Event) -> str:
    """`kind action number more`."""
    more = event.label or ",".join(event.logins) or (event.ref.ref if event.ref else "")
    if event.comment:
        more = f"{event.sender}: {event.comment.body}"
    if event.review:
        more = f"{event.sender}: {event.review.state}"
    return " ".join(filter(None, [event.kind, event.action, str(event.number or ""), more]))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = filled(tmp_path)
    yield made
    made.house.close()


@pytest.fixture
def watched(tmp_path: Path, shop: Shop) -> Iterator[Watched]:
    made = Watched(tmp_path, shop.bot)
    yield made
    made.close()


def test_a_pull_requests_life_is_seen(shop: Shop, watched: Watched) -> None:
    before = shop.pull("old", {"old": b"1"})
    shop.by("ann").add_comment(CART, before, "said before anybody looked")
    assert watched.told() == []
    number = shop.pull("fast", {"src/a.py": b"a = 2\n"})
    assert watched.told() == ["push refs/heads/fast", f"pull_request opened {number}"]
    assert watched.told() == []
    shop.by("ann").add_comment(CART, number, "/lgtm")
    shop.by("ann").add_review(CART, number, "approved")
    shop.bot.add_labels(CART, number, ["lgtm"])
    shop.bot.assign(CART, number, ["ann"])
    assert watched.told() == [
        f"pull_request labeled {number} lgtm", f"pull_request assigned {number} ann",
        f"comment created {number} ann: /lgtm", f"review submitted {number} ann: approved",
    ]  # fmt: skip
    shop.by("bob").commit_files(CART, "fast", "more", {"src/a.py": b"a = 3\n"})
    shop.bot.remove_labels(CART, number, ["lgtm"])
    shop.by("bob").set_title(CART, number, "Faster")
    shop.by("bob").set_draft(CART, number, True)
    assert watched.told() == ["push refs/heads/fast", f"pull_request synchronize {number}",
                              f"pull_request edited {number}", f"pull_request draft {number}",
                              f"pull_request unlabeled {number} lgtm"]  # fmt: skip
    shop.bot.close(CART, number)
    assert watched.told() == [f"pull_request closed {number}"]
    shop.bot.reopen(CART, number)
    # A comment of before comes again with the whole: its id is known, and it is not told twice.
    assert watched.told() == [f"pull_request reopened {number}"]
    shop.by("bob").set_draft(CART, number, False)
    shop.bot.merge(CART, number, "squash", shop.bot.pull_request(CART, number).head.sha)
    assert watched.told() == ["push refs/heads/main", f"pull_request merged {number}"]


def test_what_happened_while_nobody_looked_is_told_by_the_next_process(shop: Shop, watched: Watched) -> None:
    watched.told()
    number = shop.pull("fast", {"src/a.py": b"a = 2\n"})
    watched.poller = watched.begin()
    assert watched.told() == ["push refs/heads/fast", f"pull_request opened {number}"]


def test_a_process_that_was_killed_before_it_kept_its_look_tells_nothing_twice(shop: Shop, watched: Watched) -> None:
    watched.told()
    kept = watched.poller._seen.last("local", CART)
    assert kept is not None
    shop.pull("fast", {"src/a.py": b"a = 2\n"})
    assert len(watched.told()) == 2
    watched.poller._seen.keep("local", CART, kept, 0.0)
    assert watched.told() == []


def test_a_look_at_github_where_nothing_changed_costs_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of 304 do not count against GitHub's limit."""
    monkeypatch.setenv("FORGE_TOKEN", "let-me-in")
    stand = GitHubStandIn(shop, "https://github.test/api/v3")
    settings = ForgeSettings(kind="github", url=stand.base, token="env:FORGE_TOKEN", repositories=[CART])
    number = shop.pull("fast", {"src/a.py": b"a = 2\n"})
    watched = Watched(tmp_path, open_forge("theirs", settings, stand.transport()))
    assert watched.told() == []
    stand.calls.clear()
    assert watched.told() == []
    assert {status for _, _, status in stand.calls} == {304}
    assert len(stand.calls) < 10
    shop.by("ann").add_comment(CART, number, "/hold")
    assert watched.told() == [f"comment created {number} ann: /hold"]
    watched.close()
