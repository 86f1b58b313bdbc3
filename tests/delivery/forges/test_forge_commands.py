"""The built-in forge in the server, by its commands, by git, and after a kill."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli.program import program
from tests.delivery.forges.serving import NOBODY, commit, fine, git
from tests.running import start_server


class Station:
    """A server and a directory to work in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = start_server(directory)
        self.tokens: dict[str, str] = {}

    def ran(self, *arguments: str, by: str = "", where: Path | None = None) -> Result:
        """A command of pilothouse, by somebody, in this process; the server is one of its own."""
        environment = {
            "PILOTHOUSE_SERVER": self.server.http,
            "PILOTHOUSE_DATA": str(self.directory / "data"),
            "PILOTHOUSE_FORGE_TOKEN": self.tokens[by] if by else None,
        }
        with contextlib.chdir(where or self.directory):
            return CliRunner().invoke(program(arguments[0]), list(arguments), env=environment)

    def fine(self, *arguments: str, by: str = "", where: Path | None = None) -> str:
        done = self.ran(*arguments, by=by, where=where)
        assert done.exit_code == 0, (done.stderr, done.exception)
        return done.stdout.strip()

    def join(self, login: str) -> None:
        said = self.fine("forge", "user", "add", login, "--email", f"{login}@example.org")
        self.tokens[login] = said.partition("token: ")[2].strip()

    def url(self, login: str, repository: str = "shop/cart") -> str:
        host = self.server.http.removeprefix("http://")
        return f"http://{login}:{self.tokens[login]}@{host}/git/{repository}.git"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    made = Station(tmp_path_factory.mktemp("station"))
    yield made
    made.server.stop()


def test_from_nothing_to_a_merge_and_over_a_kill(station: Station) -> None:
    for login in ("ann", "bob"):
        station.join(login)
    assert station.fine("forge", "create", "shop/cart") == f"{station.server.http}/git/shop/cart.git"
    station.fine("forge", "allow", "shop/cart", "ann", "write")
    fine(station.directory, "clone", "-q", station.url("ann"), "work")
    work = station.directory / "work"
    first = commit(work, "README", "hello")
    fine(work, "push", "-q", "origin", "HEAD:main")
    fine(work, "checkout", "-qb", "faster")
    head = commit(work, "README", "hello, faster")
    fine(work, "push", "-q", "origin", "faster")

    # In the clone the commands know repository, branch and who it is.
    assert station.fine("pr", "create", where=work) == "#1 README is hello, faster: faster -> main"
    assert station.fine("pr", "comment", "1", "/hold", where=work) == "commented on #1 as ann"
    refused = station.ran("pr", "review", "1", "--approve", where=work)
    assert (refused.exit_code, "is your own" in refused.stderr) == (3, True)
    station.fine("pr", "review", "1", "--approve", "-R", "shop/cart", by="bob")
    assert "may read shop/cart; this needs write" in station.ran("pr", "merge", "1", "-R", "shop/cart", by="bob").stderr

    # Killed while something else is pushed: it is there or not, and what is shown is what is there.
    fine(work, "checkout", "-qb", "side")
    commit(work, "side", "1")
    pushing = subprocess.Popen(["git", "push", "-q", "origin", "side"], cwd=work, env=NOBODY, stderr=subprocess.DEVNULL)
    httpx.get(f"{station.server.http}/-/healthy", timeout=60)
    station.server.kill()
    pushing.wait()
    assert git(work, "fetch").code != 0
    port = station.server.http.rpartition(":")[2]
    station.server = start_server(station.directory, "--http", f"127.0.0.1:{port}")
    there = fine(work, "ls-remote", "origin", "refs/heads/side").partition("\t")[0]
    assert json.loads(station.fine("forge", "show", "shop/cart"))["branches"].get("side", "") == there
    fine(work, "push", "-q", "origin", "side")
    fine(work, "checkout", "-q", "faster")

    shown = json.loads(station.fine("pr", "show", "1", where=work))
    assert [comment["body"] for comment in shown["comments"] if comment["author"] == "ann"] == ["/hold"]
    assert [(review["author"], review["commit"]) for review in shown["reviews"]] == [("bob", head)]
    assert fine(work, "ls-remote", "origin", "refs/heads/main").split()[0] == first
    assert "+hello, faster" in station.fine("pr", "diff", "1", where=work)
    station.fine("pr", "merge", "1", "--squash", "--match-head", head, where=work)
    fine(work, "fetch", "-q")
    assert fine(work, "show", "origin/main:README") == "hello, faster"
    assert json.loads(station.fine("pr", "list", "--state", "merged", where=work))["number"] == 1


def test_import_fork_and_checkout(station: Station, tmp_path: Path) -> None:
    for login in ("eve", "fay"):
        station.join(login)
    fine(tmp_path, "init", "-qb", "trunk", "old")
    old = tmp_path / "old"
    commit(old, "a", "1")
    fine(old, "tag", "v1")
    station.fine("forge", "import", str(old), "eve/old", by="eve")
    shown = json.loads(station.fine("forge", "show", "eve/old", by="eve"))
    assert (shown["default_branch"], list(shown["tags"])) == ("trunk", ["v1"])
    station.fine("forge", "fork", "eve/old", by="fay")
    fine(tmp_path, "clone", "-q", station.url("fay", "fay/old"), "mine")
    head = commit(tmp_path / "mine", "a", "2")
    fine(tmp_path / "mine", "push", "-q", "origin", "HEAD:idea")
    station.fine("pr", "create", "--head", "fay:idea", "-R", "eve/old", "--title", "An idea", by="fay")
    fine(tmp_path, "clone", "-q", station.url("eve", "eve/old"), "hers")
    assert f"#1 is in pr-1, at {head[:10]}" in station.fine("pr", "checkout", "1", where=tmp_path / "hers")
    assert (tmp_path / "hers" / "a").read_text() == "2"
    station.fine("pr", "close", "1", where=tmp_path / "hers")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forge", "create", "nowhere"), "is not OWNER/NAME"),
        (("forge", "show", "a/b/c"), "is not OWNER/NAME"),
        (("forge", "show", "no/thing"), "`pilothouse forge create` makes one"),
        (("forge", "import", "/does/not/exist", "a/b"), "say the path of a clone"),
        (("forge", "list", "--token", "phf_forged"), "this token is not known here"),
        (("pr", "list"), "which repository? say --repository OWNER/NAME"),
        (("pr", "merge", "1", "--squash", "--rebase"), "choose one"),
    ],
)
def test_errors_say_what_to_do(station: Station, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = station.ran(*arguments, where=tmp_path)
    assert done.exit_code == 3
    assert said in done.stderr
