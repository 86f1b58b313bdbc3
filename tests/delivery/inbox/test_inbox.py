"""The inbox: each event once, in order for one pull request, and none lost when a process dies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from pilothouse.control import opening
from pilothouse.delivery.forges import Event, UnavailableError
from pilothouse.delivery.inbox import Inbox, InboxError, Limits, SetAsideError, Taken, lane, work
from tests.thorough import THOROUGH

QUICK = Limits(lease=30.0, pauses=(1.0, 4.0), polling=0.05)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Iterator[Inbox]:
    opened = Inbox(f"sqlite:///{tmp_path / 'control.db'}", QUICK, clock)
    yield opened
    opened.close()


def event(delivery: str, number: int = 7, **more: Any) -> Event:
    """An event of a pull request."""
    return Event(delivery, "github", "acme/shop", "pull_request", "opened", number, **more)


def take(inbox: Inbox) -> Taken | None:
    """What can be taken now."""
    return asyncio.run(inbox.take_now())


def taken(inbox: Inbox) -> Taken:
    """What can be taken now, and there must be something."""
    found = take(inbox)
    assert found is not None
    return found


def test_an_event_comes_out_as_it_went_in(inbox: Inbox) -> None:
    there = event("d1", sender="mia", at=12.5)
    assert inbox.put_now(there)
    assert taken(inbox).event == there


@pytest.mark.parametrize(("delivery", "digest"), [("d1", "other"), ("d2", "same")])
def test_a_delivery_that_was_seen_is_refused_by_its_id_and_by_its_bytes(
    inbox: Inbox, delivery: str, digest: str
) -> None:
    assert inbox.put_now(event("d1"), "same")
    assert not inbox.put_now(event(delivery), digest)
    assert inbox.counts() == {"waiting": 1}


def test_the_same_id_at_another_forge_is_another_event(inbox: Inbox) -> None:
    assert inbox.put_now(event("d1"), "same")
    assert inbox.put_now(Event("d1", "gitlab", "acme/shop", "ping"), "same")


def test_one_pull_request_is_worked_on_in_order_and_others_beside_it(inbox: Inbox) -> None:
    for delivery, number in (("a1", 1), ("a2", 1), ("b1", 2)):
        inbox.put_now(event(delivery, number))
    first, second = taken(inbox), taken(inbox)
    assert [first.event.delivery, second.event.delivery] == ["a1", "b1"]
    assert take(inbox) is None
    assert asyncio.run(inbox.done(first))
    assert taken(inbox).event.delivery == "a2"


def test_what_failed_holds_its_lane_until_it_is_set_aside(inbox: Inbox, clock: Clock) -> None:
    inbox.put_now(event("a1"))
    inbox.put_now(event("a2"))
    waits = []
    for _ in range(3):
        held = taken(inbox)
        assert held.event.delivery == "a1"
        due = asyncio.run(inbox.failed(held, "the forge is down"))
        assert take(inbox) is None or due is None or due <= clock.now
        if due is not None:
            waits.append(due - clock.now)
            clock.now = due
    assert waits == [1.0, 4.0]
    [aside] = inbox.events(state="aside")
    assert (aside.delivery, aside.reason, aside.attempts) == ("a1", "the forge is down", 3)
    # It was put aside, and the first `take` above already found the next of its lane.
    [after] = inbox.events(state="taken")
    assert after.delivery == "a2"


def test_a_lease_that_ends_lets_another_process_take_the_event(inbox: Inbox, clock: Clock) -> None:
    inbox.put_now(event("a1"))
    lost = taken(inbox)
    clock.now += QUICK.lease - 1
    assert take(inbox) is None
    assert asyncio.run(inbox.renew(lost))
    clock.now += QUICK.lease + 1
    again = taken(inbox)
    assert (again.id, again.attempt) == (lost.id, 2)
    # The first holder can no longer change it.
    assert not asyncio.run(inbox.done(lost))
    assert not asyncio.run(inbox.renew(lost))
    assert asyncio.run(inbox.done(again))


def test_an_event_that_ends_every_process_is_set_aside(inbox: Inbox, clock: Clock) -> None:
    inbox.put_now(event("a1"))
    inbox.put_now(event("a2"))
    for _ in range(QUICK.attempts):
        assert taken(inbox).event.delivery == "a1"
        clock.now += QUICK.lease + 1
    assert take(inbox) is None
    assert taken(inbox).event.delivery == "a2"
    assert "none was ended" in inbox.events(state="aside")[0].reason


def test_somebody_may_have_one_tried_again(inbox: Inbox) -> None:
    inbox.put_now(event("a1"))
    held = taken(inbox)
    assert asyncio.run(inbox.failed(held, "no such label", for_good=True)) is None
    assert asyncio.run(inbox.retry(held.id))
    assert not asyncio.run(inbox.retry(held.id))
    assert taken(inbox).attempt == 1


def test_contents_are_forgotten_before_ids_and_open_events_never(inbox: Inbox, clock: Clock) -> None:
    inbox.put_now(event("old", 1))
    asyncio.run(inbox.done(taken(inbox)))
    inbox.put_now(event("open", 2))
    clock.now += QUICK.contents + 1
    assert asyncio.run(inbox.forget()) == 1
    assert [(one.delivery, bool(one.content)) for one in inbox.every()] == [("old", False), ("open", True)]
    assert not inbox.put_now(event("old", 1))
    clock.now += QUICK.ids
    asyncio.run(inbox.forget())
    assert [one.delivery for one in inbox.every()] == ["open"]


def test_what_nobody_wants_is_kept_as_such(inbox: Inbox) -> None:
    assert asyncio.run(inbox.ignore("github", "d1", "star", "Pilothouse has no use for it", "digest"))
    assert not asyncio.run(inbox.ignore("github", "d2", "star", "", "digest"))
    assert take(inbox) is None
    [kept] = inbox.events(state="ignored")
    assert kept.to_json()["kind"] == "star"


def test_lanes_are_pull_requests_refs_and_commits() -> None:
    from pilothouse.delivery.forges import RefChange

    push = Event("d", "github", "acme/shop", "push", ref=RefChange("refs/heads/main", "a", "b"))
    lanes = {lane(event("d", 1)), lane(event("e", 2)), lane(push), lane(Event("d", "github", "acme/shop", "status",
             commit="abc")), lane(Event("d", "github", "acme/shop", "release"))}  # fmt: skip
    assert len(lanes) == 5
    long = Event("d", "github", "a/" + "b" * 600, "ping")
    assert len(lane(long)) == 64


@pytest.mark.skipif("config.getoption('--control') != 'sqlite'", reason="about a file of SQLite's")
def test_the_next_event_is_found_by_the_indexes_of_what_is_open(inbox: Inbox, tmp_path: Path) -> None:
    """Thousands of old events must not be read to find the next."""
    from pilothouse.delivery.inbox import store

    engine = create_engine(f"sqlite:///{tmp_path / 'control.db'}")
    asked = str(store._candidates(0.0).compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = " ".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}"))
    engine.dispose()
    assert "delivery_events_open" in plan
    assert "delivery_events_open_lanes" in plan
    assert "USE TEMP B-TREE" not in plan


@pytest.mark.skipif("config.getoption('--control') != 'sqlite'", reason="about a file of SQLite's")
def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InboxError, match="events cannot be kept"):
        Inbox(f"sqlite:///{tmp_path / 'file' / 'control.db'}")


# -- consuming


async def until(true: Any) -> None:
    """Wait for something to be so, generously."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.01)


def working(tmp_path: Path, handle: Any, puts: list[Event], ended: Any, limits: Limits = QUICK) -> Inbox:
    """Work until something is so; the closed inbox of a real clock."""
    inbox = Inbox(f"sqlite:///{tmp_path / 'control.db'}", limits)

    async def run() -> None:
        worker = asyncio.ensure_future(work(inbox, handle))
        for one in puts:
            await inbox.put(one)
        await until(lambda: ended(inbox))
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(run())
    return inbox


def test_each_event_is_handled_once_in_order_and_side_by_side(tmp_path: Path) -> None:
    seen: list[str] = []
    begun: set[str] = set()

    async def handle(one: Event) -> None:
        begun.add(one.delivery)
        if one.delivery.endswith("-0"):
            # Only side by side can all three have begun.
            await until(lambda: begun >= {"1-0", "2-0", "3-0"})
        seen.append(one.delivery)

    puts = [event(f"{number}-{count}", number) for count in range(10) for number in (1, 2, 3)]
    working(tmp_path, handle, puts, lambda inbox: inbox.counts().get("done") == 30).close()
    assert sorted(seen) == sorted(one.delivery for one in puts)
    for number in (1, 2, 3):
        assert [one for one in seen if one.startswith(f"{number}-")] == [f"{number}-{count}" for count in range(10)]


def test_a_failing_handler_is_tried_again_and_one_that_gives_up_is_not(tmp_path: Path) -> None:
    tried: list[str] = []

    async def handle(one: Event) -> None:
        tried.append(one.delivery)
        if one.delivery == "never":
            raise SetAsideError("there is no such repository")
        if tried.count(one.delivery) == 1:
            raise UnavailableError("the forge asks to wait", 0.1) if one.delivery == "slow" else ValueError("broken")

    limits = Limits(pauses=(0.05, 0.05), polling=0.05)
    puts = [event("never", 1), event("slow", 2), event("once", 3)]
    with capture_logs() as said:
        inbox = working(tmp_path, handle, puts, lambda i: i.counts() == {"done": 2, "aside": 1}, limits)
    assert (
        sorted((one["event"], one["attempt"]) for one in said if "attempt" in one)
        == [("an event failed and is tried again", 1)] * 2
    )
    assert [one["reason"] for one in said if one["log_level"] == "error"] == ["there is no such repository"]
    assert sorted(tried) == ["never", "once", "once", "slow", "slow"]
    assert inbox.events(state="aside")[0].reason == "there is no such repository"
    inbox.close()


def test_ending_the_work_gives_back_what_was_not_ended(tmp_path: Path) -> None:
    begun: list[str] = []

    async def handle(one: Event) -> None:
        begun.append(one.delivery)
        await asyncio.sleep(3600)

    inbox = working(tmp_path, handle, [event("a1")], lambda _: begun)
    [kept] = inbox.events()
    assert (kept.state, kept.attempts) == ("waiting", 0)
    inbox.close()


def test_waiting_ends_when_cancelled_just_as_the_bell_rings(tmp_path: Path) -> None:
    inbox = Inbox(f"sqlite:///{tmp_path / 'control.db'}", Limits(polling=3600.0))

    async def run() -> None:
        for _ in range(20):
            waiting = asyncio.ensure_future(inbox.take())
            await until(lambda: inbox._bell._listening)
            await asyncio.sleep(0.01)
            inbox._bell.ring()
            await asyncio.sleep(0)
            waiting.cancel()
            async with asyncio.timeout(10):
                await asyncio.wait([waiting])
            assert waiting.cancelled()

    asyncio.run(run())
    inbox.close()


def test_an_event_put_from_another_thread_wakes_at_once(tmp_path: Path) -> None:
    """Not by looking again: the look is an hour away."""
    inbox = Inbox(f"sqlite:///{tmp_path / 'control.db'}", Limits(polling=3600.0))

    async def run() -> Taken:
        waiting = asyncio.ensure_future(inbox.take())
        await until(lambda: inbox._bell._listening)
        await asyncio.to_thread(inbox.put_now, event("a1"))
        async with asyncio.timeout(60):
            return await waiting

    assert asyncio.run(run()).event.delivery == "a1"
    inbox.close()


KILLED = """
    import asyncio, sys
    from pilothouse.delivery.inbox import Inbox, Limits, work
    inbox = Inbox(sys.argv[1], Limits(lease=1.5, pauses=(0.1,) * 20, polling=0.05))
    async def handle(event):
        with open(sys.argv[2], "a") as file:
            file.write(f"{event.number} {event.delivery}\\n")
        await asyncio.sleep(0.03)
    asyncio.run(work(inbox, handle, 4))
"""


def test_what_a_killed_process_had_is_taken_again(tmp_path: Path) -> None:
    """`kill -9` in the middle of the work: every event is done, each pull request's in order."""
    url, seen = opening.address(f"sqlite:///{tmp_path / 'control.db'}"), tmp_path / "seen"
    seen.touch()
    inbox = Inbox(url)
    wanted = {number: [f"{number}-{count:02}" for count in range(12)] for number in range(4)}
    for count in range(12):
        for number in range(4):
            inbox.put_now(event(wanted[number][count], number + 1))
    ends = time.monotonic() + 100
    for kill in (True, True, False) if THOROUGH else (True, False):
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED), url, str(seen)])
        before = len(seen.read_text().splitlines())
        while len(seen.read_text().splitlines()) < before + 9 if kill else inbox.counts().get("done", 0) < 48:
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert inbox.counts() == {"done": 48}
    lines = [line.split()[1] for line in seen.read_text().splitlines()]
    for number, deliveries in wanted.items():
        mine = [line for line in lines if line.startswith(f"{number}-")]
        # What was under way when the process died may come twice, right after another.
        assert list(dict.fromkeys(mine)) == deliveries
        assert sorted(mine) == mine
    inbox.close()
