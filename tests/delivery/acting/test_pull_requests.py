"""From a pull request to its merge on the built-in forge, with real git and real runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.acting.room import UNIT, Room, a_room, until


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("room")) as room:
        room.repository()
        yield room


def test_a_change_of_one_who_works_here_is_tested_on_its_merge_approved_and_merged(room: Room) -> None:
    number = room.pull("one", {"checks/one.sh": "test -f README.md\n"})
    assert room.finished(number) == "success"
    assert "size/XS" in room.labels(number)
    assert "bob" in room.raw(number).requested_reviewers
    room.say(number, "ann", "/lgtm")
    assert any("cannot lgtm your own" in text for text in room.comments(number))
    assert "it needs the label lgtm" in room.why(number)["reasons"]
    room.say(number, "bob", "/lgtm\n/approve")
    room.merged(number)
    assert "checks/one.sh" in room.git("ls-tree", "-r", "--name-only", "main")
    # What was tested on its own merge is not tested again to be merged onto the same commit.
    jobs = room.server.store.jobs("acme/shop", number)
    assert [one.kind for one in jobs] == ["presubmit"]
    # That run is what the branch's new commit, which has another message, was tested by.
    tip = room.git("rev-parse", "main")
    assert tip != jobs[0].revision
    assert room.server.tested("local", "acme/shop", tip) == jobs[0].run
    assert room.server.tested("local", "acme/shop", room.git("rev-parse", "main~")) == ""


def test_a_stranger_waits_for_ok_to_test_which_holds_for_the_commit(room: Room) -> None:
    number = room.pull("two", {"checks/two.sh": "false\n"}, author="eve")
    assert "needs-ok-to-test" in room.labels(number)
    assert room.status(number) == ""
    assert room.why(number)["jobs"][0]["words"] == "it waits for /ok-to-test"
    room.say(number, "eve", "/ok-to-test")
    assert any("is for people who work here" in text for text in room.comments(number))
    room.say(number, "bob", "/ok-to-test")
    assert room.finished(number) == "failure"
    room.commit("two", {"checks/two.sh": "true\n"}, "eve", "eve/shop")
    room.calm()
    assert {"needs-ok-to-test"} == room.labels(number) & {"ok-to-test", "needs-ok-to-test"}
    assert room.status(number) == ""
    room.say(number, "bob", "/ok-to-test")
    assert room.finished(number) == "success"


def test_a_push_that_comes_between_the_look_and_the_word_is_not_trusted(room: Room) -> None:
    number = room.pull("race", {"checks/race.sh": "true\n"}, author="eve")
    # The word is said of the first commit; before it is worked off, the head is another.
    room.stop()
    room.forge.acting_as("bob").add_comment("acme/shop", number, "/ok-to-test")
    evil = room.commit("race", {"checks/race.sh": "echo stolen\n"}, "eve", "eve/shop")
    room.start()
    room.calm()
    assert room.raw(number).head.sha == evil
    kept = room.server.store.pull("local", "acme/shop", number)
    assert kept is not None
    assert kept.trusted_head != evil
    assert all(job.head != evil for job in room.server.store.jobs("acme/shop", number))


def test_the_merge_is_tested_and_not_the_head(room: Room) -> None:
    first = room.pull("rename", {"README.md": None, "READ.md": "A shop.\n"})
    second = room.pull("needs", {"checks/needs.sh": "test -f README.md\n"})
    assert room.finished(second) == "success"
    room.say(first, "bob", "/lgtm\n/approve")
    assert room.finished(first) == "failure"  # checks/one.sh, which is on main, needs the file
    number = room.pull("fix", {"checks/one.sh": "true\n"})
    assert room.finished(number) == "success"
    room.say(number, "bob", "/lgtm\n/approve")
    room.merged(number)
    room.say(first, "ann", "/retest")
    until(lambda: room.raw(first).state == "merged" or room.status(first) == "failure", "the renaming is tested again")
    room.merged(first)
    room.say(second, "bob", "/lgtm\n/approve")
    # Its own test was green on another base; on this one it is red, and it does not get in.
    until(lambda: any("put out of the merge pool" in text for text in room.comments(second)), "it is put out")
    assert room.raw(second).state == "open"
    assert "it was put out" in room.why(second)["pool"]["words"]


def test_hold_and_conflicts_and_why(room: Room) -> None:
    number = room.pull("held", {"checks/held.sh": "true\n"})
    room.say(number, "eve", "/hold")
    room.say(number, "bob", "/lgtm\n/approve")
    assert room.finished(number) == "success"
    until(lambda: room.why(number)["reasons"] == ["it has the label do-not-merge/hold"], "only the hold is left")
    room.say(number, "eve", "/why")
    assert any("it has the label do-not-merge/hold" in text for text in room.comments(number))
    other = room.pull("same", {"checks/held.sh": "exit 0\n"})
    room.say(number, "eve", "/hold cancel")
    room.merged(number)
    until(lambda: "needs-rebase" in room.labels(other), "the other one conflicts now")
    assert any("conflicts" in reason for reason in room.why(other)["reasons"])


def test_owners_of_each_file_have_to_approve(room: Room) -> None:
    number = room.pull("ui", {"ui/page.txt": "x\n", "checks/ui.sh": "true\n"})
    room.say(number, "bob", "/lgtm\n/approve")
    assert any("[APPROVALNOTIFIER]" in text and "`ui/OWNERS`" in text for text in room.comments(number))
    assert "nobody who may approve ui/OWNERS has said /approve; ask uma" in room.why(number)["reasons"]
    room.say(number, "uma", "/approve")
    room.merged(number)


def test_a_new_push_ends_the_old_runs(room: Room) -> None:
    number = room.pull("slow", {"checks/slow.sh": "sleep 30\n"})
    until(lambda: room.status(number) == "pending", "it runs")
    old = room.raw(number).head.sha
    room.commit("slow", {"checks/slow.sh": "true\n"}, "ann")
    assert room.finished(number) == "success"
    ended = [job for job in room.server.store.jobs("acme/shop", number) if job.head == old]
    assert [job.state for job in ended] == ["aborted"]
    assert ended[0].description == "a newer commit is tested"


def test_a_job_that_is_asked_for_by_name_and_by_its_own_words(room: Room) -> None:
    more = UNIT.replace("name: unit", "name: bench", 1).replace(
        'pipelinesascode.tekton.dev/on-event: "[pull_request]"', 'pipelinesascode.tekton.dev/on-comment: "^/bench"'
    ).replace('    pipelinesascode.tekton.dev/on-target-branch: "[main]"\n', "")  # fmt: skip
    number = room.pull("bench", {".tekton/bench.yaml": more})
    assert room.finished(number) == "success"
    job = next(one for one in room.why(number)["jobs"] if one["job"] == "bench")
    assert job["words"] == "it runs when a comment matches ^/bench"
    room.say(number, "ann", "/bench now")
    assert room.finished(number, "bench") == "success"


def test_what_ran_when_the_server_was_stopped_runs_again(room: Room) -> None:
    number = room.pull("stopped", {"checks/stopped.sh": "sleep 2\n"})
    until(lambda: room.server.store.jobs("acme/shop", number)[0].state == "running", "it runs")
    room.stop()
    room.start()
    assert room.finished(number) == "success"
    assert [job.state for job in room.server.store.jobs("acme/shop", number)] == ["success", "aborted"]


def test_cancel_ends_what_runs(room: Room) -> None:
    number = room.pull("cancelled", {"checks/cancelled.sh": "sleep 60\n"})
    until(lambda: room.server.store.jobs("acme/shop", number)[0].state == "running", "it runs")
    room.say(number, "eve", "/cancel")
    assert room.server.store.jobs("acme/shop", number)[0].state == "running"
    room.say(number, "bob", "/cancel unit")
    assert room.finished(number) == "error"
    job = room.server.store.jobs("acme/shop", number)[0]
    assert (job.state, job.description) == ("aborted", "cancelled by bob")


def test_a_change_waits_for_what_it_depends_on(room: Room) -> None:
    first = room.pull("library", {"library.txt": "x\n"})
    second = room.pull("user", {"checks/user.sh": "true\n"})
    room.forge.acting_as("ann").set_body("acme/shop", second, f"It needs the library.\n\nDepends-On: #{first}\n")
    room.say(second, "bob", "/lgtm\n/approve")
    assert room.finished(second) == "success"
    waits = [f"it depends on acme/shop#{first}, which is open"]
    until(lambda: room.why(second)["reasons"] == waits, "it only waits for the other")
    room.say(first, "bob", "/lgtm\n/approve")
    room.merged(first, second)


def test_of_pushes_only_the_newest_runs_and_few_runs_are_kept(room: Room) -> None:
    annotated = UNIT.replace("[pull_request]", "[push]").replace(
        "spec:", '    pipelinesascode.tekton.dev/cancel-in-progress: "true"\n'
        '    pipelinesascode.tekton.dev/max-keep-runs: "1"\nspec:', 1,
    )  # fmt: skip
    repository = room.repository("acme/keep", {"README.md": "x\n"})
    room.commit("main", {".tekton/push.yaml": annotated, "test.sh": "sleep 60\n"}, "ann", repository)
    until(lambda: [job.state for job in room.server.store.jobs(repository)] == ["running"], "it runs")
    for text in ("exit 0\n", "true\n"):
        before = len(room.server.store.jobs(repository))
        room.commit("main", {"test.sh": text}, "ann", repository)
        until(lambda before=before: len(room.server.store.jobs(repository)) > before, "the next one begins")
        until(lambda: room.server.store.jobs(repository)[0].state == "success", "it ends")
    jobs = room.server.store.jobs(repository)
    assert [job.state for job in jobs] == ["success", "success", "aborted"]
    assert "has taken its place (cancel-in-progress)" in jobs[2].description
    until(lambda: [bool(room.pipelines.store.find(job.uid)) for job in jobs][:2] == [True, False], "one run is kept")
