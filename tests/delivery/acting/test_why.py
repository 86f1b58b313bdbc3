"""`/why` in the situations that people ask in, each brought about for real and told from the records that decided."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.acting.room import FILES, UNIT, Room, a_room, until

SETTINGS = "merge: {queries: [{labels: [lgtm, approved], excludedBranches: [frozen]}]}\n"
DOCS = """
presubmits:
- name: docs
  run_if_changed: ^docs/
  spec: {containers: [{image: busybox, command: ["true"]}]}
- name: paper
  branches: [^paper$]
  always_run: true
  spec: {containers: [{image: busybox, command: ["true"]}]}
"""
CELL = UNIT.replace("name: unit", "name: cell", 1).replace(
    """    pipelinesascode.tekton.dev/on-event: "[pull_request]"
    pipelinesascode.tekton.dev/on-target-branch: "[main]"
""",
    """    pipelinesascode.tekton.dev/on-cel-expression: event == "pull_request" && source_branch.startsWith("cell")
""",
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("why")) as room:
        files = {**FILES, ".pilothouse/delivery.yaml": SETTINGS, ".prow.yaml": DOCS, ".tekton/cell.yaml": CELL}
        room.repository(files=files)
        yield room


def why(room: Room, number: int) -> str:
    """The answer as a comment."""

    def answers() -> list[str]:
        # The pool may say something meanwhile.
        return [one for one in room.comments(number) if one.startswith(("It does not merge:", "Nothing stands"))]

    before = len(answers())
    room.say(number, "eve", "/why")
    until(lambda: len(answers()) > before, "/why is answered")
    return answers()[-1]


def test_why(room: Room) -> None:
    # Labels that are missing, and jobs that do not fit: by path, by branch, by an expression.
    plain = room.pull("plain", {"checks/plain.sh": "true\n"})
    assert room.finished(plain) == "success"
    told = why(room, plain)
    assert told.startswith("It does not merge:\n")
    assert "- it needs the label lgtm" in told
    assert "label approved" not in told  # ann approves her own
    assert "- `docs`: no changed file matches run_if_changed ^docs/" in told
    assert "- `paper`: it is for branches that match ^paper$, not for main" in told
    assert "- `cell`: " in told
    assert "source_branch.startsWith" in told
    assert "- `unit`: success on " in told

    # A test that fails, and an owner who has not spoken.
    red = room.pull("red", {"checks/red.sh": "echo no; exit 3\n", "ui/page.txt": "x\n"})
    assert room.finished(red) == "failure"
    room.say(red, "bob", "/lgtm\n/approve")
    told = why(room, red)
    assert "- unit is failure: " in told
    assert "- `unit`: failure on " in told
    assert "- nobody who may approve ui/OWNERS has said /approve; ask uma" in told

    # Somebody holds it, and what it waits for is not merged.
    room.say(plain, "bob", "/hold until Monday")
    waiting = room.pull("waiting", {"checks/waiting.sh": "true\n"})
    room.forge.acting_as("ann").set_body("acme/shop", waiting, f"Depends-On: #{plain}")
    room.calm()
    assert "- it has the label do-not-merge/hold" in why(room, plain)
    told = why(room, waiting)
    assert f"- it depends on acme/shop#{plain}, which is open" in told

    # A stranger, a draft, a branch into which nothing is merged.
    strange = room.pull("strange", {"checks/strange.sh": "true\n"}, author="eve")
    told = why(room, strange)
    assert "- unit has not run: somebody who works here has to look and say /ok-to-test" in told
    assert "- `unit`: it waits for /ok-to-test" in told
    draft = room.pull("draft", {"checks/draft.sh": "true\n"}, title="WIP: draft")
    assert "- it has the label do-not-merge/work-in-progress" in why(room, draft)
    room.git("branch", "frozen", "main")
    room.commit("cold", {"checks/cold.sh": "true\n"}, "ann")
    cold = room.forge.acting_as("ann").create_pull_request("acme/shop", "cold", "frozen", "Cold").number
    room.calm()
    told = why(room, cold)
    assert "- merging into frozen is switched off" in told
    assert "- `unit`: " in told

    # The base moved: what was green alone is put out by the batch, and another conflicts.
    breaks = room.pull("breaks", {"checks/breaks.sh": "test ! -e checks/moved.sh\n"})
    clash = room.pull("clash", {"checks/moved.sh": "exit 0\n"})
    assert room.finished(breaks) == "success"
    moved = room.pull("moved", {"checks/moved.sh": "true\n"})
    room.say(moved, "bob", "/lgtm\n/approve")
    room.merged(moved)
    room.say(breaks, "bob", "/lgtm\n/approve")
    until(lambda: "put out" in room.why(breaks)["pool"]["words"], "the pool puts it out")
    told = why(room, breaks)
    assert "Merge pool: it was put out: its tests fail on what it would be merged onto" in told
    assert "push a change, or say /retest" in told
    until(lambda: "needs-rebase" in room.labels(clash), "it conflicts")
    assert "conflicts" in why(room, clash)

    # Nothing against it any more.
    room.say(plain, "bob", "/lgtm\n/approve")
    room.say(plain, "bob", "/unhold")
    room.merged(plain)
    assert "it is merged" in why(room, plain)
