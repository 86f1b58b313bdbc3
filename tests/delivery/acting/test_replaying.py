"""Decisions taken again by other rules, from what they were taken from; the API and the command line over them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.delivery.acting import api
from tests.delivery.acting.room import FILES, Room, a_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with a_room(tmp_path_factory.mktemp("replay")) as room:
        room.repository()
        number = room.pull("one", {"checks/one.sh": "true\n", "docs/a.md": "x\n"})
        assert room.finished(number) == "success"
        room.say(number, "bob", "/hold\n/lgtm\n/approve")
        room.say(number, "eve", "/assign bob\n/why")
        yield room


@pytest.fixture(scope="module")
def client(room: Room) -> TestClient:
    return TestClient(Starlette(routes=api.routes(room.server)))


def written(directory: Path, files: dict[str, str]) -> Path:
    """A directory with files."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    return directory


def test_with_the_same_rules_nothing_differs_and_with_others_it_is_said_what(
    client: TestClient, tmp_path: Path
) -> None:
    events = tmp_path / "decisions.jsonl"
    events.write_text(client.get("/api/delivery/decisions").text)
    same, other = tmp_path / "same", tmp_path / "other"
    written(same, FILES)
    written(other, {**FILES, "OWNERS": "approvers: [uma]\n", "docs/OWNERS": "labels: [kind/docs]\n",
                    ".pilothouse/delivery.yaml": "chat: {require_dco: true}\n"})  # fmt: skip
    runner = CliRunner()
    result = runner.invoke(
        program("delivery"), ["delivery", "replay", str(events), "--config", str(same), "-o", "table"]
    )
    assert result.exit_code == 0, result.output
    # A busy machine's pool may have looked at it once more.
    assert re.fullmatch(r"[3-9] decisions, 0 would have been other ones\n", result.output)
    result = runner.invoke(
        program("delivery"), ["delivery", "replay", str(events), "--config", str(other), "--output", "json"]
    )
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    opened = next(one for one in found if one["event"] == "pull_request opened")
    assert "AddLabel: dco-signoff: no" in opened["would"]
    assert "AddLabel: kind/docs" in opened["would"]
    assert "AddLabel: approved" in opened["did"]
    assert "AddLabel: approved" not in opened["would"]
    assert any("nobody who may approve OWNERS" in reason for reason in opened["reasons"])


def test_decisions_of_one_repository(room: Room, client: TestClient, tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_text(client.get("/api/delivery/decisions").text)
    config = tmp_path / "rules"
    config.mkdir()
    (config / "OWNERS").write_text("approvers: [uma]\n")
    asked = ["delivery", "replay", str(events), "--config", str(config)]
    other = CliRunner().invoke(program("delivery"), [*asked, "--repository", "acme/other", "--output", "table"])
    assert (other.exit_code, other.output) == (0, "0 decisions, 0 would have been other ones\n")
    assert CliRunner().invoke(program("delivery"), [*asked, "--repository", "acme/shop"]).exit_code == 1


@pytest.mark.parametrize("text", ["{", '{"snapshot": {"pull": 3}, "at": 1}', "[]", '{"id": 3}'])
def test_what_is_no_decision_is_named(text: str, tmp_path: Path) -> None:
    events = tmp_path / "events"
    events.write_text(f"\n{text}\n")
    result = CliRunner().invoke(program("delivery"), ["delivery", "replay", str(events), "--config", str(tmp_path)])
    assert result.exit_code == 3
    assert "line 2: is no decision" in result.output


def test_the_api(client: TestClient) -> None:
    pulls = client.get("/api/delivery/pulls", params={"state": "open"}).json()["pulls"]
    assert [(one["number"], one["why"]) for one in pulls] == [(1, ["it has the label do-not-merge/hold"])]
    why = client.get("/api/delivery/pulls/acme/shop/1/why").json()
    assert why["reasons"] == ["it has the label do-not-merge/hold"]
    assert [(one["job"], one["state"]) for one in why["jobs"]] == [("unit", "success")]
    said = [one["event"] for one in why["decisions"] if one["event"] != "base moved"]
    assert said == ["comment created"] * 2 + ["pull_request opened"]
    assert client.get("/api/delivery/jobs", params={"number": 1}).json()["jobs"][0]["context"] == "unit"
    assert isinstance(client.get("/api/delivery/pools").json()["pools"], list)
