"""Previews of pull requests on the built-in forge: real processes in real sandboxes, asked over real HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pilothouse.control import opening
from pilothouse.delivery.forges import Remote
from pilothouse.delivery.forges.local import House, LocalForge
from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.previews.local import LocalStarter
from pilothouse.delivery.previews.preview import Preview
from pilothouse.delivery.previews.serving import PreviewServer

pytestmark = pytest.mark.skipif(not namespace.bubblewrap(), reason="no bubblewrap here, and so no sandbox")
SHOP = "acme/shop"
# With the standard library of whatever Python the sandbox has.
APP = """\
import http.server, os, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/network":
            try:
                socket.create_connection(("127.0.0.1", int(os.environ["OUTSIDE"])), 2)
                said = "reached"
            except OSError as error:
                said = "refused"
        elif self.path == "/see":
            others = [name for name in os.listdir("/proc") if name.isdigit()]
            said = f"{os.path.exists(os.environ['HIDDEN'])} {len(others) < 20} {os.environ.get('SECRET', 'no secret')}"
        else:
            said = "VERSION"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said.encode())
    def log_message(self, *_):
        pass
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PROJECT = "preview: {{command: python3 app.py, environment: {{OUTSIDE: '{outside}', HIDDEN: '{hidden}'}}{more}}}\n"


@dataclass
class Shop:
    """A forge with a repository, and the previews of its pull requests."""

    house: House
    place: Path
    previews: PreviewServer

    @property
    def forge(self) -> LocalForge:
        return LocalForge.as_pilothouse(self.house)

    def by(self, login: str) -> LocalForge:
        return LocalForge(self.house, self.house.bearer(login))

    def pull(self, branch: str, version: str, more: str = "", by: str = "bob", outside: int = 1) -> int:
        files: dict[str, bytes | None] = {
            "app.py": APP.replace("VERSION", version).encode(),
            ".pilothouse.yaml": PROJECT.format(outside=outside, hidden=self.place, more=more).encode(),
        }
        forge = self.by(by)
        forge.commit_files(SHOP, branch, f"feat: {version}", files)
        return forge.create_pull_request(SHOP, branch, "main", f"feat: {version}").number

    def until(self, number: int, state: str, holds: Callable[[Preview], bool] = lambda _: True) -> Preview:
        deadline = time.monotonic() + 90
        while True:
            found = self.previews.store.of_pull(SHOP, number)
            if found is not None and found.state == state and holds(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def comments(self, number: int) -> list[str]:
        return [one.body for one in self.forge.comments(SHOP, number) if one.author == "pilothouse"]

    def until_told(self, number: int, words: str) -> None:
        deadline = time.monotonic() + 90
        while not any(words in one for one in self.comments(number)):
            assert time.monotonic() < deadline, self.comments(number)
            time.sleep(0.05)


def previews(house: House, place: Path, database: str = "") -> PreviewServer:
    forge = LocalForge.as_pilothouse(house)
    url = database or f"sqlite:///{place}/control.db"
    return PreviewServer(lambda _: forge, url, place / "data", LocalStarter(lambda _: forge))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("SECRET", "of the server")
    house = House(tmp_path / "forge", f"sqlite:///{tmp_path / 'control.db'}")
    house.open()
    for login in ("acme", "bob", "eve"):
        house.people.add(login, login.title(), f"{login}@example.org")
    acme = LocalForge(house, house.bearer("acme"))
    acme.create_repository(SHOP)
    for login, right in (("bob", "write"), ("eve", "read"), ("pilothouse", "write")):
        acme.allow(SHOP, login, right)
    acme.commit_files(SHOP, "main", "feat: begin", {"README": b"shop\n"})
    made = Shop(house, tmp_path, previews(house, tmp_path))
    made.previews.start()
    yield made
    made.previews.close()
    house.close()


def gone(url: str) -> bool:
    try:
        httpx.get(url, timeout=60)
    except httpx.TransportError:
        return True
    return False


def test_a_preview_lives_with_its_pull_request(shop: Shop) -> None:
    number = shop.pull("one", "first")
    shop.previews.look(SHOP, number)
    ready = shop.until(number, "ready")
    assert httpx.get(ready.url, timeout=60).text == "first"
    assert ready.how.startswith("sandbox without a network")
    shop.until_told(number, ready.url)
    # Another commit: at the same address, and told in the same comment.
    sha = shop.by("bob").commit_files(SHOP, "one", "fix: it", {"app.py": APP.replace("VERSION", "second").encode()})
    shop.previews.look(SHOP, number)
    second = shop.until(number, "ready", lambda one: one.commit == sha)
    assert second.url == ready.url
    assert httpx.get(second.url, timeout=60).text == "second"
    shop.until_told(number, sha[:10])
    assert len(shop.comments(number)) == 1
    shop.by("bob").close(SHOP, number)
    shop.previews.look(SHOP, number)
    ended = shop.until(number, "stopped")
    assert ended.reason == "the pull request was closed"
    assert gone(ready.url)
    assert not list((shop.place / "data" / "previews").iterdir()), "nothing of it is left"
    shop.until_told(number, "has ended")


def test_a_preview_reaches_nothing_and_sees_little(shop: Shop) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as outside:
        number = shop.pull("one", "first", outside=outside.getsockname()[1])
        shop.previews.look(SHOP, number)
        ready = shop.until(number, "ready")
        assert httpx.get(ready.url + "network", timeout=60).text == "refused"
    seen = httpx.get(ready.url + "see", timeout=60).text
    assert seen == "False True no secret", "the server's files, its processes and its environment are hidden"


def test_what_does_not_start_says_why(shop: Shop) -> None:
    number = shop.pull("broken", "first", more=", setup: 'echo cannot find the database; exit 3'")
    shop.previews.look(SHOP, number)
    failed = shop.until(number, "failed")
    assert failed.reason == "its command ended with exit code 3"
    shop.until_told(number, "cannot find the database")
    slow = shop.pull("slow", "first", more=", ready: /ok, start: 1s, setup: 'sleep 60'")
    shop.previews.look(SHOP, slow)
    assert shop.until(slow, "failed").reason == "it was not ready after 1 s"
    bad = shop.pull("bad", "first", more=", memory: lots")
    shop.previews.look(SHOP, bad)
    assert ".pilothouse.yaml: preview.memory: 'lots' must be a size" in shop.until(bad, "failed").reason
    assert not list((shop.place / "data" / "previews").iterdir())


def test_a_strangers_commit_is_not_run(shop: Shop) -> None:
    eve = shop.by("eve")
    fork = eve.fork(SHOP).full_name
    files: dict[str, bytes | None] = {
        "app.py": APP.encode(),
        ".pilothouse.yaml": PROJECT.format(outside=1, hidden="", more="").encode(),
    }
    eve.commit_files(fork, "evil", "feat: evil", files)
    number = eve.create_pull_request(SHOP, "eve:evil", "main", "feat: evil").number
    shop.previews.look(SHOP, number)
    bobs = shop.pull("good", "first")
    shop.previews.look(SHOP, bobs)
    shop.until(bobs, "ready")
    assert shop.previews.store.of_pull(SHOP, number) is None
    assert shop.comments(number) == []


def test_time_and_people_end_it(shop: Shop) -> None:
    short = shop.pull("short", "first", more=", life: 1s")
    shop.previews.look(SHOP, short)
    assert shop.until(short, "stopped").reason == "its time is over"
    number = shop.pull("one", "first")
    shop.previews.look(SHOP, number)
    ready = shop.until(number, "ready")
    shop.previews.stop(ready.id, "ann")
    deadline = time.monotonic() + 60
    while not gone(ready.url):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shop.until(number, "stopped").reason == "stopped by ann"


def test_a_restart_starts_it_again_at_its_address(shop: Shop) -> None:
    number = shop.pull("one", "first")
    shop.previews.look(SHOP, number)
    before = shop.until(number, "ready")
    shop.previews.close()
    assert gone(before.url)
    shop.previews = previews(shop.house, shop.place)
    shop.previews.start()
    after = shop.until(number, "ready", lambda one: one.started > before.started)
    assert (after.url, after.expires) == (before.url, before.expires)
    assert httpx.get(after.url, timeout=60).text == "first"


def test_a_forge_that_is_away_for_a_while_costs_no_preview(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    number, asked = shop.pull("one", "first"), threading.Event()

    def away(_: LocalForge, repository: str) -> Remote:
        asked.set()
        return Remote("http://127.0.0.1:1/")

    with monkeypatch.context() as patch:
        patch.setattr(LocalForge, "remote", away)
        shop.previews.look(SHOP, number)
        assert "127.0.0.1" in shop.until(number, "asked", lambda one: bool(one.reason)).reason
        asked.clear()
        assert asked.wait(30), "it is tried again by itself"
    assert httpx.get(shop.until(number, "ready").url, timeout=60).text == "first"


_KILLED = """
import sys, time
from pathlib import Path
from tests.delivery.previews.test_previews import previews, SHOP
from pilothouse.delivery.forges.local import House
place = Path(sys.argv[1])
house = House(place / "forge", sys.argv[3])
server = previews(house, place, sys.argv[3])
server.start()
server.look(SHOP, int(sys.argv[2]))
while (found := server.store.of_pull(SHOP, int(sys.argv[2]))) is None or found.state != "ready":
    time.sleep(0.05)
print(found.url, flush=True)
time.sleep(600)
"""


def test_a_killed_server_leaves_no_process(shop: Shop) -> None:
    number = shop.pull("one", "first")
    database = opening.address(f"sqlite:///{shop.place}/control.db")
    command = [sys.executable, "-c", _KILLED, str(shop.place), str(number), database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(url, timeout=60).text == "first"
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not gone(url):
        assert time.monotonic() < deadline, "the relay is still there"
        time.sleep(0.1)
    while _running("app.py", str(shop.place)):
        assert time.monotonic() < deadline, "the sandbox is still there"
        time.sleep(0.1)


def _running(*words: str) -> bool:
    """Whether a process of this machine was started with all of these."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in said for word in words):
            return True
    return False
