"""What a stranger may try with a pull request: let itself in, become a script, read what is not his."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.delivery.forges import Comment
from pilothouse.delivery.pipelines.executors.namespace import bubblewrap
from tests.delivery.acting.room import FILES, UNIT, Room, a_room, until

EVIL = '"; touch %s/owned; echo "'
TITLED = UNIT.replace("name: unit", "name: titled", 1)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("security")) as room:
        by_script = TITLED.replace("sh ./test.sh", 'echo "{{ event_title }}"')
        by_param = (
            TITLED.replace("name: titled", "name: param", 1)
            .replace("spec:\n", "spec:\n  params: [{name: about, value: '{{ event_title }}'}]\n", 1)
            .replace("  pipelineSpec:\n", "  pipelineSpec:\n    params: [{name: about}]\n")
            .replace("sh ./test.sh", 'echo "$(params.about)"')
        )
        by_variable = (
            by_param.replace("name: param", "name: variable", 1)
            .replace(
                "          script: |", "          env: [{name: ABOUT, value: $(params.about)}]\n          script: |"
            )
            .replace('echo "$(params.about)"', 'echo "about: $ABOUT"; env')
        )
        secret = (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: deploy}\nstringData: {token: sesame-open-1234}\n---\n"
            + TITLED.replace("name: titled", "name: secret", 1).replace(
                "          script: |",
                "          env: [{name: T, valueFrom: {secretKeyRef: {name: deploy, key: token}}}]\n"
                "          script: |",
            ).replace("sh ./test.sh", 'echo "the token is $T"')
        )  # fmt: skip
        room.repository("acme/shop", {**FILES, ".tekton/titled.yaml": by_script, ".tekton/param.yaml": by_param,
                                      ".tekton/variable.yaml": by_variable, ".tekton/secret.yaml": secret})  # fmt: skip
        yield room


def log_of(room: Room, number: int, job: str) -> str:
    """All that a job of a pull request wrote."""
    uid = next(one.uid for one in room.server.store.jobs("acme/shop", number) if one.job == job)
    return "".join(file.read_text() for file in (room.directory / "pipelines" / "logs" / uid).rglob("*.log"))


def test_a_change_of_the_rules_does_not_count_for_itself(room: Room) -> None:
    lets_in = {
        "OWNERS": "approvers: [eve]\n", ".tekton/unit.yaml": UNIT.replace("sh ./test.sh", "true"),
        ".tekton/mine.yaml": UNIT.replace("name: unit", "name: mine", 1).replace("sh ./test.sh", "echo mine"),
        ".pilothouse/delivery.yaml": "merge: {queries: [{labels: []}]}\n", "checks/bad.sh": "false\n",
    }  # fmt: skip
    number = room.pull("rules", lets_in, author="eve")
    room.say(number, "eve", "/approve\n/lgtm\n/override unit\n/ok-to-test")
    assert not room.labels(number) & {"approved", "lgtm", "ok-to-test"}
    assert not room.server.store.jobs("acme/shop", number)
    room.say(number, "bob", "/ok-to-test")
    # The base's job runs, which finds the failing check; the one that the change brings along does not.
    assert room.finished(number) == "failure"
    assert "mine" not in {job.job for job in room.server.store.jobs("acme/shop", number)}
    assert any("nobody who may approve OWNERS" in one for one in room.why(number)["reasons"])
    assert "it needs the label lgtm" in room.why(number)["reasons"]
    # Whom it makes an owner does not work here.
    assert "do-not-merge/invalid-owners-file" in room.labels(number)
    assert any("`OWNERS`: names eve" in one for one in room.comments(number))


def test_a_title_does_not_become_a_script(room: Room, tmp_path: Path) -> None:
    number = room.pull("title", {"checks/title.sh": "true\n"}, author="eve", title=EVIL % tmp_path)
    room.say(number, "bob", "/ok-to-test")
    assert room.finished(number, "titled") == "error"
    job = next(one for one in room.why(number)["jobs"] if one["job"] == "titled")
    assert "which somebody outside chose" in job["words"]
    assert room.finished(number, "param") == "failure"
    assert room.finished(number, "variable") == "success"
    assert f"about: {EVIL % tmp_path}" in log_of(room, number, "variable")
    assert not (tmp_path / "owned").exists()


def test_a_job_does_not_see_what_this_process_knows(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_TOKEN", "do-not-tell-77")
    number = room.pull("env", {"checks/env.sh": "true\n"})
    assert room.finished(number, "variable") == "success"
    log = log_of(room, number, "variable")
    assert "JOB_NAME=variable" in log
    assert f"PULL_NUMBER={number}" in log
    assert "do-not-tell-77" not in log
    assert "GIT_CONFIG" not in log
    assert room.finished(number, "secret") == "success"
    assert log_of(room, number, "secret") == "the token is ***\n"


@pytest.mark.skipif(not bubblewrap(), reason="no bubblewrap here, and so no sandbox")
def test_a_strangers_job_sees_nothing_of_this_machine_and_no_network(room: Room, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    tries = (
        f"set -e\ntest ! -e {tmp_path}/secret\ntest ! -e {room.directory}/control.db\n"
        "if grep -q eth /proc/net/dev; then exit 4; fi\nls ./test.sh\n"
    )
    number = room.pull("confined", {"checks/confined.sh": tries}, author="eve")
    room.say(number, "bob", "/ok-to-test")
    assert room.finished(number) == "success"


def test_words_of_others_do_not_become_ours(room: Room) -> None:
    number = room.pull("quote", {"checks/quote.sh": "true\n"}, author="eve")
    room.say(number, "bob", "/cherry-pick `@uma` <img\n/why")
    said = [one for one in room.comments(number) if "There is no branch" in one]
    assert len(said) == 2
    assert not any("<" in one.replace("<!--", "") or "@uma" in one for one in said)
    # A bot's and our own comments are no commands, also when they quote one.
    before = len(room.forge.comments("acme/shop", number))
    room.forge.add_comment("acme/shop", number, "/lgtm\n/approve")
    room.calm()
    assert len(room.forge.comments("acme/shop", number)) == before + 1
    assert not room.labels(number) & {"lgtm", "approved"}


def test_a_link_is_no_file_of_rules(room: Room, tmp_path: Path) -> None:
    import subprocess

    place = room.house.repositories.git(room.house.repositories.find("acme/shop")).directory
    subprocess.run(["git", "clone", "-q", str(place), str(tmp_path / "work")], check=True, capture_output=True)
    work = tmp_path / "work"
    (work / "OWNERS").unlink()
    (work / "OWNERS").symlink_to("/etc/passwd")
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["add", "-A"], [*name, "commit", "-qm", "link"]):
        subprocess.run(["git", *words], cwd=work, check=True, capture_output=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=work, check=True, capture_output=True, text=True)
    mirror = room.server.parts["local"].loading.mirror("acme/shop")
    from pilothouse.delivery.forges import Remote

    mirror.fetch(Remote(str(work)), {"HEAD": "linked"})
    assert "OWNERS" not in mirror.texts(commit.stdout.strip(), lambda path: path == "OWNERS")


def test_a_comment_of_a_thousand_commands_is_one_answer_each(room: Room) -> None:
    number = room.pull("many", {"checks/many.sh": "true\n"}, author="eve")
    room.say(number, "eve", "/lgtm\n" * 500 + "/test all\n" * 500)
    assert len(room.comments(number)) <= 6
    assert isinstance(room.forge.comments("acme/shop", number)[-1], Comment)
    until(lambda: room.status(number) == "", "nothing runs")
