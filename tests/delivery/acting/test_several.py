"""Several processes on one control plane: a branch's merge pool is driven by one, and by another when that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pilothouse.delivery.acting.serving import DeliveryServer
from pilothouse.delivery.acting.store import DeliveryStore, LostError
from pilothouse.delivery.pipelines.serving import PipelineServer
from tests.delivery.acting.room import FILES, REPOSITORY, Room, a_room, until
from tests.thorough import THOROUGH

_SETTINGS = "merge: {batch: 5, ahead: 1}\n"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("several")) as room:
        room.repository(files={**FILES, ".pilothouse/delivery.yaml": _SETTINGS})
        yield room


def another(room: Room, stack: ExitStack, owner: str) -> DeliveryServer:
    """One more that acts on the same forge, database and inbox."""
    pipelines = PipelineServer(room.directory / "pipelines", room.directory, room.database)
    server = DeliveryServer(
        room.database, room.directory, {"local": room.forge}, room.inbox, pipelines, owner=owner
    )  # fmt: skip
    pipelines.start()
    server.start()
    stack.callback(pipelines.close)
    stack.callback(server.close)
    return server


def merges(room: Room) -> list[int]:
    """What the pool merged, in order."""
    history = room.server.pool("local", REPOSITORY, "main")["history"]
    return [number for one in history if one["what"] == "merged" for number in one["changes"]]


def test_two_share_the_events_and_each_change_is_merged_once(room: Room) -> None:
    with ExitStack() as stack:
        other = another(room, stack, "other")
        numbers = []
        for at in range(4 if THOROUGH else 2):
            number = room.pull(f"s{at}", {f"checks/s{at}.sh": "true\n"})
            room.say(number, "bob", "/lgtm\n/approve")
            numbers.append(number)
        room.merged(*numbers)
        room.calm()
        until(lambda: not room.server.pool("local", REPOSITORY, "main")["queue"], "the pool is empty")
        assert sorted(merges(room)) == numbers
        until(lambda: not other.store.nudges("local"), "what one asks the other for is done")
        mains = [one.pools.mine(REPOSITORY, "main") for one in (room.server.parts["local"], other.parts["local"])]
        assert sorted(mains) == [False, True]


def test_what_was_taken_over_is_not_written_to_any_more(room: Room) -> None:
    pools = room.server.parts["local"].pools
    assert pools.mine(REPOSITORY, "main")
    claim = pools._claims.of(REPOSITORY, "main")
    store = DeliveryStore(room.database)
    before = store.pool("local", REPOSITORY, "main")[0]
    claim.owner, was = "somebody else", claim.owner
    with pytest.raises(LostError, match="another process"):
        store.keep_pool("local", REPOSITORY, "main", {**before, "base": "f" * 40}, (), 0.0, claim)
    claim.owner = was
    assert store.pool("local", REPOSITORY, "main")[0] == before
    store.close()


@pytest.mark.timeout(300)
def test_one_that_is_killed_in_the_middle_of_a_batch_is_followed_by_one_that_runs(room: Room, tmp_path: Path) -> None:
    """The jobs of a batch run in another process; it is killed; this one, which was there all along, ends the batch."""
    # Only what the merge pool starts takes long: it tests again since the branch moves below.
    slow = f"test ! -e elsewhere || test -e {tmp_path}/go || exec sleep 300\n"
    repository = room.repository("acme/killed", {**FILES, "test.sh": slow})
    number = room.pull("one", {"checks/one.sh": "true\n"}, repository=repository)
    room.say(number, "bob", "/hold\n/lgtm\n/approve", repository)
    until(lambda: room.why(number, repository)["reasons"] == ["it has the label do-not-merge/hold"], "it is ready")
    room.stop()
    room.commit("main", {"elsewhere": "x\n"}, "bob", repository)
    room.forge.acting_as("bob").add_comment(repository, number, "/hold cancel")
    command = [sys.executable, "-m", "tests.delivery.acting.acting", str(room.directory), room.database]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    store = DeliveryStore(room.database)

    def batch_runs() -> bool:
        return any(job.kind == "batch" and job.state == "running" for job in store.jobs(repository))

    try:
        until(batch_runs, "the batch is tested by the child", 120)
        room.start()
        part = room.server.parts["local"]
        assert not part.pools.mine(repository, "main")
        assert not part.pools.is_stuck(repository, "main")
    finally:
        (tmp_path / "go").touch()
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    until(lambda: room.raw(number, repository).state == "merged", "it is merged", 120)
    assert part.pools.mine(repository, "main")
    aborted = [job for job in store.jobs(repository) if job.kind == "batch" and job.state == "aborted"]
    assert aborted
    store.close()
