"""The merge pool for real: batches, a change that breaks with another, squashing, and a restart in the middle."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.delivery.forges import UnavailableError
from tests.delivery.acting.room import FILES, Room, a_room, until


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("pool")) as room:
        yield room


def ready(room: Room, name: str, repository: str, files: dict[str, str]) -> int:
    """A pull request that only a hold keeps from being merged."""
    number = room.pull(name, files, repository=repository)
    room.say(number, "bob", "/hold\n/lgtm\n/approve", repository)
    until(lambda: room.why(number, repository)["reasons"] == ["it has the label do-not-merge/hold"],
          f"#{number} is ready: {room.why(number, repository)['reasons']}")  # fmt: skip
    return number


def let_go(room: Room, repository: str, *numbers: int) -> None:
    """Take the holds away while nobody acts, so that all of it is seen at once."""
    room.stop()
    for number in numbers:
        room.forge.acting_as("bob").add_comment(repository, number, "/hold cancel")
    room.start()
    room.calm()


def every_commit_is_green(room: Room, repository: str, tmp_path: Path) -> int:
    """Run the tests on every commit that main was at; how many there were."""
    commits = room.git("rev-list", "--first-parent", "main", repository=repository).split()
    place = room.house.repositories.git(room.house.repositories.find(repository)).directory
    for commit in commits:
        work = tmp_path / commit[:12]
        work.mkdir()
        archive = subprocess.run(["git", f"--git-dir={place}", "archive", commit], check=True, capture_output=True)
        subprocess.run(["tar", "-x"], cwd=work, input=archive.stdout, check=True)
        subprocess.run(["sh", "./test.sh"], cwd=work, check=True, capture_output=True)
    return len(commits)


def test_several_are_tested_together_and_merged_at_once(room: Room) -> None:
    repository = room.repository("acme/batch")
    numbers = [ready(room, f"b{at}", repository, {f"checks/b{at}.sh": "true\n"}) for at in range(3)]
    let_go(room, repository, *numbers)
    for number in numbers:
        until(lambda number=number: room.raw(number, repository).state == "merged", f"#{number} is merged")
    history = room.server.pool("local", repository, "main")["history"]
    merges = [one["changes"] for one in history if one["what"] == "merged"]
    assert sorted(number for changes in merges for number in changes) == numbers
    # Nothing was merged that was not green on what it was merged onto.
    assert all(any(one["what"] in ("green", "tested") and set(changes) <= set(one["changes"]) for one in history)
               for changes in merges)  # fmt: skip
    subjects = room.git("log", "--first-parent", "--format=%s", "main", repository=repository).split("\n")
    assert sorted(one for one in subjects if one.startswith("Merge #")) == [
        f"Merge #{number}: Change b{at}" for at, number in enumerate(numbers)
    ]


@pytest.mark.timeout(300)
def test_of_a_red_batch_the_one_that_breaks_is_found_and_put_out(room: Room, tmp_path: Path) -> None:
    rule = {**FILES, "test.sh": "set -e\nfor one in checks/*.sh; do sh $one; done\n! test -e left || ! test -e right\n"}
    repository = room.repository("acme/bisect", rule)
    numbers = [
        ready(room, name, repository, files)
        for name, files in (
            ("good", {"checks/good.sh": "true\n"}), ("left", {"left": "x\n"}), ("right", {"right": "x\n"}),
            ("last", {"checks/last.sh": "true\n"}),
        )
    ]  # fmt: skip
    let_go(room, repository, *numbers)
    good, left, right, last = numbers

    def put_out() -> list[int]:
        return [one for one in (left, right) if "it was put out" in room.why(one, repository)["pool"]["words"]]

    # The two that do not go together came at the same moment: whichever is looked at first is merged.
    (out,) = until(put_out, "one of the two is put out", 120)
    for number in {good, left, right, last} - {out}:
        until(lambda number=number: room.raw(number, repository).state == "merged", f"#{number} is merged")
    assert room.raw(out, repository).state == "open"
    said = [one.body for one in room.forge.comments(repository, out) if "put out of the merge pool" in one.body]
    assert len(said) == 1
    # Whoever asks why is told who was in the batch, what failed, what its parts showed. On a slow machine the others
    # may be merged before this one is looked at: then it failed alone, and there is no batch to tell of.
    told = [one["words"] for one in room.why(out, repository)["pool"]["batch"]]
    history = room.server.pool("local", repository, "main")["history"]
    assert bool(told) == any(
        one["what"] == "red" and out in one["changes"] and len(one["changes"]) > 1 for one in history
    )
    if told:
        assert ": red: unit: " in told[0]
        assert f"#{out}" in told[0]
        assert told[0].count("#") > 1
        assert f"#{out}: put out: its tests fail on what it would be merged onto" in told
    assert every_commit_is_green(room, repository, tmp_path) == 4


def test_squashing_a_label_that_asks_for_another_way_priority_and_a_job_before_the_merge(room: Room) -> None:
    settings = "merge:\n  method: squash\n  batch: 1\n  ahead: 1\n  priority: [urgent]\nchat: {labels: [urgent, %s]}\n"
    way = "tide/merge-method-merge"
    late = "presubmits: [{name: late, run_before_merge: true, spec: {containers: [{image: sh, command: ['true']}]}}]\n"
    files = {**FILES, ".pilothouse/delivery.yaml": settings % way, ".prow.yaml": late}
    repository = room.repository("acme/squash", files)
    first, second = (ready(room, name, repository, {f"checks/{name}.sh": "true\n"}) for name in ("one", "two"))
    room.say(second, "bob", f"/label urgent\n/label {way}", repository)
    assert [one["words"] for one in room.why(first, repository)["jobs"] if one["job"] == "late"] == [
        "it runs in the merge pool, or when asked for: /test late"
    ]
    let_go(room, repository, first, second)
    for number in (first, second):
        until(lambda number=number: room.raw(number, repository).state == "merged", f"#{number} is merged")
    subjects = room.git("log", "--first-parent", "--format=%s", "main", repository=repository).split("\n")
    assert sorted(subjects[:2]) == [f"Change one (#{first})", f"Merge #{second}: Change two"]
    parents = room.git("log", "-2", "--first-parent", "--format=%s:%P", "main", repository=repository).split("\n")
    assert {line.partition(" (")[0].partition(" #")[0]: line.count(" ", line.rindex(":")) for line in parents} == {
        "Change one": 0, "Merge": 1,
    }  # fmt: skip
    history = [
        one["changes"] for one in room.server.pool("local", repository, "main")["history"] if one["what"] == "testing"
    ]
    assert all(len(changes) == 1 for changes in history)
    ran = [job.state for job in room.server.store.jobs(repository) if job.job == "late" and job.kind == "batch"]
    assert ran.count("success") >= 2


def test_a_merge_that_was_not_answered_for_is_ended_by_the_next_process(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = room.repository("acme/restart")
    number = ready(room, "one", repository, {"checks/one.sh": "true\n"})
    merge_all = room.forge.merge_all
    asked: list[str] = []

    def dies(*arguments: Any) -> None:
        asked.append("merged")
        merge_all(*arguments)
        raise UnavailableError("the answer is lost")

    monkeypatch.setattr(room.forge, "merge_all", dies)
    room.say(number, "bob", "/hold cancel", repository)
    until(lambda: asked, "it is merged")
    assert room.server.pool("local", repository, "main")["merging"] == [number]
    room.stop()
    monkeypatch.undo()
    room.start()
    until(lambda: room.server.pool("local", repository, "main")["merging"] == [], "it is known to be merged")
    assert room.git("rev-list", "--first-parent", "--count", "main", repository=repository) == "2"
    assert room.server.pool("local", repository, "main")["base"] == room.git("rev-parse", "main", repository=repository)


def test_a_push_past_the_pool_makes_it_test_anew(room: Room) -> None:
    repository = room.repository("acme/moved")
    number = ready(room, "one", repository, {"checks/one.sh": "test ! -e broken\n"})
    room.commit("main", {"broken": "x\n"}, "bob", repository)
    room.calm()
    room.say(number, "bob", "/hold cancel", repository)
    until(lambda: "it was put out" in room.why(number, repository)["pool"]["words"], "it does not work on the new base")
    room.commit("main", {"broken": None}, "bob", repository)
    room.say(number, "bob", "/retest", repository)
    until(lambda: room.raw(number, repository).state == "merged", "it is merged once it works")
