"""The hazards of a pull request's manifests are said on it, once, and follow its commits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pilothouse.delivery.acting.manifests import ManifestCheck
from pilothouse.delivery.forges import Event
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.demo import repository

REPOSITORY = "shop/checkout"


@pytest.fixture
def forge(tmp_path: Path) -> LocalForge:
    house = House(tmp_path / "forge", f"sqlite:///{tmp_path / 'control.db'}")
    house.open()
    made = LocalForge.as_pilothouse(house)
    made.create_repository(REPOSITORY)
    made.commit_files(REPOSITORY, "main", "begin", {name: text.encode() for name, text in repository.base().items()})
    return made


def proposed(forge: LocalForge, files: dict[str, str]) -> tuple[int, ManifestCheck]:
    """A pull request with these files, and what looks at it."""
    forge.commit_files(REPOSITORY, "change", "change", {name: text.encode() for name, text in files.items()})
    number = forge.create_pull_request(REPOSITORY, "change", "main", "Change").number
    return number, ManifestCheck({"local": forge})


def heard(check: ManifestCheck, number: int, action: str = "opened") -> None:
    check.heard(Event("d", "local", REPOSITORY, "pull_request", action, number))  # type: ignore[arg-type]


def said(forge: LocalForge, number: int) -> list[str]:
    return [one.body for one in forge.comments(REPOSITORY, number) if not one.path]


def test_a_hazard_is_told_and_taken_back_when_it_is_gone(forge: LocalForge) -> None:
    number, check = proposed(forge, repository.change("dns"))
    for _ in range(2):
        heard(check, number)
    (told,) = said(forge, number)
    assert "**DNS-005** (high) Deployment shop/checkout in deploy/checkout.yaml:" in told
    line = int(told.partition("deploy/checkout.yaml:")[2].partition(":")[0])
    assert repository.change("dns")["deploy/checkout.yaml"].splitlines()[line - 1].strip() == "spec:"
    # On the line itself it is said only where the change adds that line.
    assert not [one for one in forge.comments(REPOSITORY, number) if one.path]
    status = forge.statuses(REPOSITORY, forge.pull_request(REPOSITORY, number).head.sha)["hazards"]
    assert (status.state, "DNS-005" in status.description) == ("failure", True)
    good = {"deploy/checkout.yaml": repository.base()["deploy/checkout.yaml"].replace("replicas: 2", "replicas: 3")}
    forge.commit_files(REPOSITORY, "change", "mend", {name: text.encode() for name, text in good.items()})
    heard(check, number, "synchronize")
    (told,) = said(forge, number)
    assert "None that were not there before" in told
    status = forge.statuses(REPOSITORY, forge.pull_request(REPOSITORY, number).head.sha)["hazards"]
    assert status.state == "success"


@pytest.mark.parametrize("hunks", [True, False])
def test_a_hazard_on_a_line_that_is_added_is_said_there(
    forge: LocalForge, hunks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a forge that tells the changed files without their hunks."""
    if not hunks:
        told = LocalForge.files
        monkeypatch.setattr(LocalForge, "files", lambda *which: tuple(replace(one, patch="") for one in told(*which)))
    text = repository.change("dns")["deploy/checkout.yaml"].replace("name: checkout", "name: till")
    number, check = proposed(forge, {"deploy/till.yaml": text})
    for _ in range(2):
        heard(check, number)
    on_lines = [one for one in forge.comments(REPOSITORY, number) if one.path]
    assert {one.path for one in on_lines} == {"deploy/till.yaml"}
    (dns,) = [one for one in on_lines if "**DNS-005**" in one.body]
    assert text.splitlines()[dns.line - 1].strip() == "spec:"


@pytest.mark.parametrize(
    "files",
    [{"README.md": "words"}, {"chart/templates/a.yaml": "{{ if }}"}, {".tekton/x.yaml": "kind: Task"}],
)
def test_what_holds_no_manifests_is_not_spoken_of(forge: LocalForge, files: dict[str, str]) -> None:
    number, check = proposed(forge, files)
    heard(check, number)
    assert said(forge, number) == []
    assert forge.statuses(REPOSITORY, forge.pull_request(REPOSITORY, number).head.sha) == {}


@pytest.mark.parametrize("text", ["a: [", "\x00\x01", "- just\n- a list\n", "kind: Deployment\n" + "x" * 1_100_000])
def test_what_is_no_manifest_stops_nothing(forge: LocalForge, text: str) -> None:
    number, check = proposed(forge, {"deploy/odd.yaml": text})
    heard(check, number)
    assert forge.statuses(REPOSITORY, forge.pull_request(REPOSITORY, number).head.sha)["hazards"].state == "success"
