"""A real git clones from and pushes to the built-in forge."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pilothouse.delivery.forges.local.smart_http import SmartHttp
from tests.delivery.forges.conftest import Shop, filled
from tests.delivery.forges.serving import NOBODY, commit, fine, git, served

MOST = 12_000_000


class Served:
    """A shop over HTTP with a token for each user."""

    def __init__(self, shop: Shop, http: str) -> None:
        self.shop, self.http = shop, http
        self.tokens = {login: shop.house.people.add_token(login) for login in ("ann", "bob", "cat", "dan")}

    def url(self, login: str = "", repository: str = "shop/cart", token: str = "") -> str:
        """The address for a user, or for nobody."""
        who = f"{login}:{token or self.tokens[login]}@" if login else ""
        return f"http://{who}{self.http.removeprefix('http://')}/git/{repository}.git"

    def cloned(self, where: Path, login: str = "", repository: str = "shop/cart") -> Path:
        fine(where, "clone", "-q", self.url(login, repository), "work")
        return where / "work"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    shop = filled(tmp_path_factory.mktemp("served"))
    with served([*SmartHttp(shop.house, MOST).routes()]) as http:
        shop.house.address = http
        yield Served(shop, http)
    shop.house.close()


def test_clone_push_and_what_is_told(forge: Served, tmp_path: Path) -> None:
    work = forge.cloned(tmp_path, "bob")
    assert (work / "README").read_text() == "hello\n"
    forge.shop.events.clear()
    sha = commit(work, "b", "1")
    fine(work, "push", "-q")
    event = forge.shop.events[0]
    assert event.ref is not None
    assert (event.kind, event.sender, event.ref.branch, event.ref.after) == ("push", "bob", "main", sha)
    assert forge.shop.bot.read_file("shop/cart", "b") == b"1"
    # Tags, annotated ones too, and a shallow clone by somebody without a name.
    fine(work, "tag", "-am", "one", "v1")
    fine(work, "push", "-q", "origin", "v1")
    assert forge.shop.bot.tags("shop/cart")["v1"] == sha
    fine(tmp_path, "clone", "-q", "--depth=1", forge.url(), "shallow")
    assert fine(tmp_path / "shallow", "rev-list", "--count", "HEAD") == "1"
    fine(tmp_path, "-c", "protocol.version=0", "clone", "-q", forge.url(), "old")
    assert fine(tmp_path / "old", "rev-parse", "HEAD") == sha


def test_a_protected_branch_goes_forward_only(forge: Served, tmp_path: Path) -> None:
    work = forge.cloned(tmp_path, "bob")
    before = fine(work, "rev-parse", "HEAD")
    fine(work, "commit", "-q", "--amend", "-m", "rewritten")
    fine(work, "branch", "side")
    ran = git(work, "push", "--force", "origin", "main", "side")
    assert ran.code != 0
    assert "main is protected: it is never moved backwards" in ran.said
    # What is not protected went in, with the same push.
    assert forge.shop.bot.branches("shop/cart")["side"] == fine(work, "rev-parse", "side")
    assert forge.shop.bot.branches("shop/cart")["main"] == before
    ran = git(work, "push", "origin", ":main")
    assert "main is protected: it stays" in ran.said
    fine(work, "commit", "-q", "--amend", "-m", "again")
    fine(work, "push", "-q", "--force", "origin", "HEAD:side")
    assert forge.shop.events[-1].ref is not None
    assert forge.shop.events[-1].ref.forced


def test_a_branch_that_only_pull_requests_reach(forge: Served, tmp_path: Path) -> None:
    forge.shop.by("bob").create_branch("shop/cart", "live", "main")
    forge.shop.by("ann").protect("shop/cart", "live*", "none")
    work = forge.cloned(tmp_path, "bob")
    commit(work, "live", "1")
    ran = git(work, "push", "origin", "HEAD:live")
    assert "ask for it with a pull request" in ran.said
    fine(work, "push", "-q", "origin", "HEAD:to-live")
    number = forge.shop.by("bob").create_pull_request("shop/cart", "to-live", "live", "Go live").number
    head = forge.shop.bot.pull_request("shop/cart", number).head.sha
    forge.shop.by("bob").merge("shop/cart", number, "rebase", head)
    assert forge.shop.bot.branches("shop/cart")["live"] == head


@pytest.mark.parametrize("ref", ["refs/pull/1/head", "refs/pilothouse/x", "refs/whatever"])
def test_refs_that_are_nobodys(forge: Served, tmp_path: Path, ref: str) -> None:
    work = forge.cloned(tmp_path, "ann")
    commit(work, "x", ref)
    assert "rejected" in git(work, "push", "origin", f"HEAD:{ref}").said


def test_who_may_not(forge: Served, tmp_path: Path) -> None:
    work = forge.cloned(tmp_path, "cat")
    commit(work, "c", "1")
    ran = git(work, "push")
    assert ran.code != 0
    assert "cat may read shop/cart; this needs write" in ran.said
    for url in (forge.url(), forge.url("bob", token="phf_forged"), forge.url("ann", token=forge.tokens["bob"])):
        assert git(work, "push", url, "HEAD:main").code != 0
    readonly = forge.shop.house.people.add_token("bob", may_write=False)
    assert "this needs write" in git(work, "push", forge.url("bob", token=readonly), "HEAD:main").said
    assert "c" not in {entry.path for entry in forge.shop.bot.read_folder("shop/cart")}


def test_what_is_private(forge: Served, tmp_path: Path) -> None:
    forge.shop.by("ann").create_repository("shop/secret", private=True)
    forge.shop.by("ann").commit_files("shop/secret", "main", "first", {"key": b"1"})
    assert "could not read Username" in git(tmp_path, "clone", forge.url("", "shop/secret"), "a").said
    assert "could not read Username" in git(tmp_path, "clone", forge.url("", "shop/missing"), "a").said
    assert "not found" in git(tmp_path, "clone", forge.url("dan", "shop/secret"), "b").said
    forge.cloned(tmp_path, "ann", "shop/secret")


def test_pilothouse_gets_in_without_a_secret_in_the_address(forge: Served, tmp_path: Path) -> None:
    forge.shop.by("ann").create_repository("shop/vault", private=True)
    forge.shop.by("ann").commit_files("shop/vault", "main", "first", {"key": b"1"})
    remote = forge.shop.bot.remote("shop/vault", write=True)
    assert "@" not in remote.url
    fine(tmp_path, "clone", "-q", remote.url, "work", **dict(remote.environment))
    commit(tmp_path / "work", "more", "1")
    fine(tmp_path / "work", "push", "-q", **dict(remote.environment))
    assert forge.shop.events[-1].sender == "pilothouse"
    reading = forge.shop.bot.remote("shop/vault")
    commit(tmp_path / "work", "more", "2")
    assert git(tmp_path / "work", "push", **dict(reading.environment)).code != 0


@pytest.mark.parametrize(
    "path",
    [
        "/git/../../etc/passwd/info/refs?service=git-upload-pack",
        "/git/shop/..%2f..%2fetc/info/refs?service=git-upload-pack",
        "/git/%2e%2e/%2e%2e/info/refs?service=git-upload-pack",
        "/git/shop/cart.git/objects/info/packs",
        "/git/shop/cart.git/HEAD",
        "/git/shop/cart.git/info/refs",
        "/git/shop/cart.git/info/refs?service=git-upload-archive",
        "/git/shop/cart.git/info/refs?service=--help",
        "/git/shop/%00/info/refs?service=git-upload-pack",
    ],
)
def test_addresses_that_lead_nowhere(forge: Served, path: str) -> None:
    with httpx.Client(base_url=forge.http) as client:
        # As bytes: nothing of it is made right on the way.
        request = client.build_request("GET", forge.http)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code in (400, 401, 404, 405)
    assert "root:" not in answer.text


def test_bodies_that_are_no_pushes(forge: Served) -> None:
    url = f"{forge.http}/git/shop/cart.git/git-receive-pack"
    auth = ("bob", forge.tokens["bob"])
    media = {"content-type": "application/x-git-receive-pack-request"}
    assert httpx.post(url, content=b"0000", auth=auth).status_code == 400
    for body in (b"zzzz", b"0001", b"ffff", b"0010not a command", b"0032" + b"\0" * 46):
        answer = httpx.post(url, content=body, headers=media, auth=auth)
        assert answer.status_code in (200, 400), body
    bad = httpx.post(url, content=b"not gzip", headers=media | {"content-encoding": "gzip"}, auth=auth)
    assert bad.status_code == 400
    assert forge.shop.bot.branches("shop/cart")["main"]


def test_a_fork_over_http(forge: Served, tmp_path: Path) -> None:
    forge.shop.by("dan").fork("shop/cart")
    work = forge.cloned(tmp_path, "dan", "dan/cart")
    fine(work, "checkout", "-qb", "idea")
    commit(work, "idea", "1")
    fine(work, "push", "-q", "origin", "idea")
    number = forge.shop.by("dan").create_pull_request("shop/cart", "dan:idea", "main", "An idea").number
    sha = commit(work, "idea", "2")
    fine(work, "push", "-q", "origin", "idea")
    fine(work, "fetch", "-q", forge.url(), f"refs/pull/{number}/head")
    assert fine(work, "rev-parse", "FETCH_HEAD") == sha
    fine(work, "fetch", "-q", forge.url(), f"refs/pull/{number}/merge")
    assert fine(work, "rev-parse", "FETCH_HEAD^2") == sha


def test_two_pushes_at_once(forge: Served, tmp_path: Path) -> None:
    """Both to one branch: one goes in, the other is told to fetch; to two branches: both."""
    works = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        work = forge.cloned(tmp_path / name, "bob")
        commit(work, name, "1" * 100_000)
        works.append(work)
    forge.shop.events.clear()
    ends: list[int] = []

    def push(work: Path, *refs: str) -> None:
        ends.append(git(work, "push", "-q", "origin", *refs).code)

    for refs in (("HEAD:main",), ()):
        threads = [
            threading.Thread(target=push, args=(work, *(refs or (f"HEAD:race-{work.parent.name}",)))) for work in works
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(ends[:2]) == [0, 1]
    assert ends[2:] == [0, 0]
    pushed = [event.ref.branch for event in forge.shop.events if event.ref]
    assert sorted(pushed) == ["main", "race-one", "race-two"]
    assert {event.sender for event in forge.shop.events if event.ref} == {"bob"}


def test_a_big_push_takes_little_memory_and_a_bigger_one_is_refused(forge: Served, tmp_path: Path) -> None:
    work = forge.cloned(tmp_path, "bob")
    fine(work, "checkout", "-qb", "big")
    fine(work, "config", "core.compression", "0")
    (work / "big").write_bytes(os.urandom(10_000_000))
    before = _peak()
    fine(work, "add", "big")
    fine(work, "commit", "-qm", "big")
    fine(work, "push", "-q", "origin", "big")
    assert _peak() - before < 6_000_000
    (work / "bigger").write_bytes(os.urandom(14_000_000))
    fine(work, "add", "bigger")
    fine(work, "commit", "-qm", "bigger")
    ran = git(work, "push", "origin", "HEAD:bigger")
    assert ran.code != 0
    assert "bigger" not in forge.shop.bot.branches("shop/cart")
    fine(tmp_path, "clone", "-q", "-b", "big", forge.url(), "again")
    assert (tmp_path / "again" / "big").stat().st_size == 10_000_000


def _peak() -> int:
    """The most memory that this process, with the server in it, has taken so far, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_who_hangs_up_leaves_nothing_behind(forge: Served, tmp_path: Path) -> None:
    work = forge.cloned(tmp_path, "bob")
    (work / "noise").write_bytes(os.urandom(8_000_000))
    fine(work, "config", "core.compression", "0")
    fine(work, "add", "noise")
    fine(work, "commit", "-qm", "noise")
    pushing = subprocess.Popen(
        ["git", "push", "-q", "origin", "HEAD:hung-up"], cwd=work, env=NOBODY, start_new_session=True
    )
    kept = forge.shop.house.repositories.find("shop/cart")
    objects = forge.shop.house.repositories.git(kept).directory / "objects"
    while pushing.poll() is None and not list(objects.glob("tmp_objdir-*")):
        time.sleep(0.002)
    # All of git: what it started would push on. It may have been quicker.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pushing.pid, signal.SIGKILL)
    pushing.wait()
    # Whether it was quick enough or not, nothing is left and the repository is whole.
    deadline = time.monotonic() + 60
    while list(objects.glob("tmp_objdir-*")):
        assert time.monotonic() < deadline, "what was received of half a push is still there"
        time.sleep(0.05)
    work2 = tmp_path / "again"
    work2.mkdir()
    forge.cloned(work2)
    assert "error" not in forge.shop.house.repositories.git(kept).text("fsck", "--connectivity-only")
