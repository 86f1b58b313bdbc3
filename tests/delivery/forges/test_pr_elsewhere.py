"""`pilothouse pr` in clones of GitHub, GitLab and Forgejo: the real command over HTTP, the forges stand-ins."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli.program import program
from pilothouse.delivery.forges.errors import AccessError, InvalidError
from pilothouse.delivery.forges.locating import located, named
from pilothouse.delivery.forges.personal import open_as_person, variables
from pilothouse.delivery.forges.settings import ForgeSettings, read
from tests.delivery.forges.conftest import Shop
from tests.delivery.forges.serving import fine
from tests.delivery.forges.stand_ins.forgejo import ForgejoStandIn
from tests.delivery.forges.stand_ins.github import GitHubStandIn
from tests.delivery.forges.stand_ins.gitlab import GitLabStandIn
from tests.delivery.forges.stand_ins.rest import StandIn
from tests.delivery.forges.stand_ins.serving import served

STAND_INS: dict[str, tuple[type[StandIn], str]] = {
    "github": (GitHubStandIn, "/api/v3"), "gitlab": (GitLabStandIn, "/api/v4"), "forgejo": (ForgejoStandIn, "/api/v1"),
}  # fmt: skip
_VARIABLES = (
    "GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN", "PILOTHOUSE_FORGE_TOKEN",
)  # fmt: skip
NOTHING: dict[str, str | None] = dict.fromkeys(_VARIABLES)


@dataclass
class Clone:
    """A clone of `shop/cart` on a forge, and a person in it."""

    where: Path
    shop: Shop
    environment: dict[str, str | None]

    def ran(self, *arguments: str, **environment: str) -> Result:
        with contextlib.chdir(self.where):
            asked = NOTHING | self.environment | environment
            return CliRunner().invoke(program("pr"), ["pr", *arguments], env=asked)

    def fine(self, *arguments: str, **environment: str) -> str:
        done = self.ran(*arguments, **environment)
        assert done.exit_code == 0, (done.stderr, done.exception)
        return done.stdout.strip()


@pytest.fixture(params=["github", "gitlab", "forgejo"])
def clone(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> Iterator[Clone]:
    kind, path = STAND_INS[request.param]
    with served(kind(shop, ""), path) as base:
        where = tmp_path / "clone"
        fine(tmp_path, "init", "-qb", "main", str(where))
        fine(where, "remote", "add", "origin", f"{base.removesuffix(path)}/shop/cart.git")
        forges = {"theirs": {"kind": request.param, "url": base, "token": "env:THE_SERVERS"}}
        yield Clone(where, shop, {"PILOTHOUSE_FORGES": json.dumps(forges), "HOME": str(tmp_path)})


def test_a_pull_request_from_its_opening_to_its_merge(clone: Clone) -> None:
    mine = ("--token", "let-me-in")
    clone.shop.by("bob").commit_files("shop/cart", "faster", "Faster", {"src/a.py": b"a = 2\n"})
    asked = ("create", "--head", "faster", "--title", "Faster", "--body", "It was slow.", *mine)
    assert clone.fine(*asked) == "#1 Faster: faster -> main"
    assert json.loads(clone.fine("list", *mine))["title"] == "Faster"
    assert clone.fine("list", "--state", "merged", *mine) == ""
    assert clone.fine("comment", "1", "Why two?", *mine) == "commented on #1 as pilothouse"
    clone.fine("comment", "1", "Here too.", "--on", "src/a.py:1", *mine)
    shown = json.loads(clone.fine("show", "1", *mine))
    assert [(one["body"], one["path"], one["line"]) for one in shown["comments"]] == [
        ("Why two?", "", 0), ("Here too.", "src/a.py", 1),
    ]  # fmt: skip
    assert shown["files"][0]["path"] == "src/a.py"
    assert "-a = 1\n+a = 2" in clone.fine("diff", "1", *mine)
    clone.fine("close", "1", *mine)
    assert clone.fine("reopen", "1", *mine) == "#1 is open"
    refused = clone.ran("merge", "1", "--match-head", "f" * 40, *mine)
    assert (refused.exit_code, "#1 is at" in refused.stderr) == (3, True)
    assert clone.fine("merge", "1", *mine).startswith("merged #1: main is at ")
    assert clone.shop.bot.read_file("shop/cart", "src/a.py") == b"a = 2\n"
    missing = clone.ran("show", "99", *mine)
    assert missing.exit_code == 3
    assert "Traceback" not in missing.stderr


def test_a_command_by_the_user_that_the_server_acts_as_is_not_heard_and_that_is_said(clone: Clone) -> None:
    number = clone.shop.pull("faster", {"src/a.py": b"a = 2\n"})
    said = clone.ran("comment", str(number), "/lgtm", THE_SERVERS="let-me-in")
    assert said.exit_code == 0
    assert "takes no commands of itself" in said.stderr
    refused = clone.ran("comment", str(number), "/lgtm", "--token", "forged")
    assert refused.exit_code == 3
    assert "forged" not in refused.stderr
    assert "THE_SERVERS" in clone.ran("list").stderr, "what is missing is named"


CONFIGURED = read({
    "ghe": {"kind": "github", "url": "https://git.example.org/api/v3", "token": "env:GHE"},
    "lab": {"kind": "gitlab", "url": "https://code.example.org:8443/lab/api/v4", "token": "env:LAB"},
    "tea": {"kind": "gitea", "url": "http://127.0.0.1:3000/api/v1", "token": "env:TEA"},
    "hub": {"kind": "github", "token": "env:HUB"},
})  # fmt: skip


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://github.com/acme/shop.git", "hub acme/shop"),
        ("git@github.com:acme/shop.git", "hub acme/shop"),
        ("ssh://git@gitlab.com/acme/web/shop.git", "gitlab acme/web/shop"),
        ("https://ann:t@codeberg.org/acme/shop", "codeberg acme/shop"),
        ("git@git.example.org:acme/shop", "ghe acme/shop"),
        ("ssh://git@code.example.org:2222/acme/web/shop.git", "lab acme/web/shop"),
        ("https://code.example.org:8443/lab/acme/shop.git", "lab acme/shop"),
        ("https://code.example.org/acme/shop.git", ""),
        ("http://127.0.0.1:3000/acme/shop.git", "tea acme/shop"),
        ("http://127.0.0.1:4000/acme/shop.git", ""),
        ("https://github.com.evil.test/acme/shop.git", ""),
        ("/srv/git/shop.git", ""),
        ("https://host:port/x", ""),
    ],
)
def test_a_clones_address_leads_to_its_forge(address: str, found: str) -> None:
    place = located(address, CONFIGURED)
    assert (f"{place.name} {place.repository}" if place else "") == found


def test_a_token_goes_to_the_forge_that_it_is_of_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    github, ghe = named("hub", "acme/shop", CONFIGURED), named("ghe", "acme/shop", CONFIGURED)
    assert variables(github, {}) == ("GH_TOKEN", "GITHUB_TOKEN")
    assert variables(ghe, {}) == ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
    assert variables(named("gitlab", "a/b", {}), {}) == ("GITLAB_TOKEN",)
    lab = named("lab", "a/b", CONFIGURED)
    assert variables(lab, {}) == ()
    assert variables(lab, {"GITLAB_HOST": "code.example.org"}) == ("GITLAB_TOKEN",)
    for given in ("", "phf_of-the-built-in-forge"):
        with pytest.raises(AccessError, match="set FORGEJO_TOKEN or GITEA_TOKEN, say --token"):
            open_as_person(named("codeberg", "a/b", {}), given, {"GITHUB_TOKEN": "x"})
    with pytest.raises(InvalidError, match="there are: local, ghe, lab, tea, hub, github, gitlab, codeberg"):
        named("nowhere", "a/b", CONFIGURED)
    assert open_as_person(github, "", {"GITHUB_TOKEN": "x"}).name == "hub"
    assert isinstance(CONFIGURED["hub"], ForgeSettings)


def test_gits_own_credential_is_taken_without_asking_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    (tmp_path / ".git-credentials").write_text("https://ann:kept@codeberg.org\n")
    forge = open_as_person(named("codeberg", "a/b", {}), "", {})
    assert "kept" not in repr(forge)
    with pytest.raises(AccessError, match=r"no token for gitlab\.com"):
        open_as_person(named("gitlab", "a/b", {}), "", {})
