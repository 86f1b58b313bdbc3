"""Each thing is done once, wherever a process dies: before or after every single call to the forge, and by kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.acting.mirror import Mirrors
from pilothouse.delivery.acting.repositories import ForgePart, Shared
from pilothouse.delivery.acting.running import Jobs
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.forges import Event
from pilothouse.delivery.pipelines.engine import Run
from tests.delivery.acting.room import REPOSITORY, Room, a_room, until
from tests.thorough import THOROUGH

_ACTS = ("add_labels", "remove_labels", "add_comment", "assign", "request_review", "set_status")


class Died(BaseException):
    """The process ends here."""


class Mortal:
    """A forge whose caller dies at its nth act: before it is done, or right after."""

    def __init__(self, forge: Any, at: int, *, after: bool) -> None:
        self._forge, self._left, self._after = forge, at, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._forge, name)
        if name not in _ACTS:
            return found

        def act(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Died
            result = found(*arguments, **named)
            if self._left == 0:
                raise Died
            return result

        return act


class Counted:
    """Runs that are only counted."""

    def __init__(self) -> None:
        self.launched: list[str] = []

    def launch(self, document: Any, documents: Any, run: Run, ended: Any) -> None:
        """Count it."""
        self.launched.append(run.uid)

    def end(self, uid: str, how: str = "") -> None:
        """Nothing runs."""

    def recover(self) -> None:
        """Nothing is left."""

    def forget(self, uid: str) -> None:
        """Nothing is kept."""

    def kept(self, uid: str) -> Any:
        """A run that goes on."""
        return type("Kept", (), {"status": "Unknown", "reason": "", "message": ""})() if uid in self.launched else None


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("once")) as room:
        room.repository()
        room.stop()
        yield room
        room.start()


def part(room: Room, forge: Any, runs: Counted) -> ForgePart:
    """What a process has in memory when it starts."""
    store = DeliveryStore(room.database)
    jobs = Jobs(store, runs, room.directory / "checkouts", {"local": forge})
    return ForgePart(forge, Shared(store, Mirrors(room.directory / "git"), jobs, lambda *_: {
        "queue": [], "out": [], "merging": [], "testing": [], "history": []}))  # fmt: skip


def opened(room: Room, name: str, author: str) -> tuple[int, Event]:
    """A pull request and the event of its opening, which nobody worked off."""
    forge = room.forge.acting_as(author)
    source, head = REPOSITORY, name
    if author == "eve":
        source, head = forge.fork(REPOSITORY).full_name, f"eve:{name}"
    room.commit(name, {f"checks/{name}.sh": "true\n"}, author, source)
    number = forge.create_pull_request(REPOSITORY, head, "main", name).number
    event = next(one for one in room.events if one.number == number and one.action == "opened")
    return number, event


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_at_every_act_of_a_decision(room: Room, after: bool) -> None:
    for at in range(1, 4 if THOROUGH else 3):
        number, event = opened(room, f"{'a' if after else 'b'}{at}", "eve" if at % 2 else "ann")
        runs = Counted()
        died = 0
        try:
            part(room, Mortal(room.forge, at, after=after), runs).handle(event)
        except Died:
            died += 1
        again = part(room, room.forge, runs)
        again.handle(event)
        again.handle(event)
        for say in ("/ok-to-test", "/why"):
            room.forge.acting_as("bob").add_comment(REPOSITORY, number, say)
            said = next(one for one in reversed(room.events) if one.comment and one.comment.body == say)
            try:
                part(room, Mortal(room.forge, at, after=after), runs).handle(said)
            except Died:
                died += 1
            part(room, room.forge, runs).handle(said)
        assert died
        comments = room.comments(number)
        assert len(comments) == len(set(comments)), comments
        assert sum("does not merge" in one for one in comments) == 1
        assert sum("tested once somebody" in one for one in comments) == at % 2
        # The opening asks for the job where the author works here; /ok-to-test asks for it in any case.
        assert len(runs.launched) == len(set(runs.launched)) == 2 - at % 2


def test_kill_9_again_and_again(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.repository()
    room.stop()
    numbers = [
        room.forge.acting_as("ann").create_pull_request(REPOSITORY, name, "main", name).number
        for name in ("one", "two")
        if room.commit(name, {f"checks/{name}.sh": "sleep 0.2\n"}, "ann")
    ]
    for number in numbers:
        room.forge.acting_as("ann").add_comment(REPOSITORY, number, "/lgtm")
        room.forge.acting_as("bob").add_comment(REPOSITORY, number, "/lgtm\n/approve")
    room.inbox.close()
    room.house.close()
    database = room.database
    for patience in (1.2, 2.0) if THOROUGH else (1.6,):
        child = subprocess.Popen([sys.executable, "-m", "tests.delivery.acting.acting", str(tmp_path), database],
                                 stdout=subprocess.PIPE, start_new_session=True)  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(patience)  # wherever it is by then
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    with a_room(tmp_path, people=False) as room:
        # Leases of the killed are waited for.
        for number in numbers:
            until(lambda number=number: room.raw(number).state == "merged", f"#{number} is merged", 110)
            said = [one for one in room.comments(number) if "cannot lgtm your own" in one]
            assert len(said) == 1
        assert room.git("rev-list", "--first-parent", "--count", "main") == "3"
