"""The file collector against a real server: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.commands import command
from tests.forking import fork
from tests.running import RunningServer

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))


class Collector:
    """`pilothouse collect files` in a process of its own."""

    def __init__(self, server: str, state: Path, *arguments: str) -> None:
        started = ["collect", "files", *arguments, "--state", str(state), "--server", server]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = fork(started, self._said, dict(os.environ))

    def said(self) -> str:
        """What it wrote so far."""
        return os.pread(self._said.fileno(), 1 << 20, 0).decode()

    def ended(self) -> str:
        """What it wrote until it ended by itself."""
        self.process.wait(120)
        said = self.said()
        self._said.close()
        return said

    def stop(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.ended()


def once(server: str, state: Path, *arguments: str) -> None:
    """Collect what is there, and end."""
    collector = Collector(server, state, *arguments, "--once")
    said = collector.ended()
    assert collector.process.returncode == 0, said


def stored(server: RunningServer, service: str, least: int = 1, seconds: float = 60) -> list[str]:
    """All lines of a service once there are so many, oldest first."""
    deadline = time.monotonic() + seconds
    server.wait_for("/api/logs", "count", least, seconds, selector=f'service_name="{service}"', since="1d", count="1")
    while True:
        parameters = {
            "query": f'{{service_name="{service}"}}',
            "since": "1d",
            "limit": 1_000_000,
            "direction": "forward",
        }
        rows = httpx.get(f"{server.http}/api/logs/query", params=parameters, timeout=60).text.splitlines()
        found = [row["log"]["line"] for row in map(json.loads, rows) if "log" in row]
        if len(found) >= least:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {least}"
        time.sleep(0.1)


def waited(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_file_is_sent_once_however_often_it_is_collected(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "once.log"
    path.write_text("one\ntwo\nwithout an end")
    for _ in range(2):
        once(server.http, tmp_path / "state", str(path))
    with path.open("a") as file:
        file.write("\nthree\n")
    once(server.http, tmp_path / "state", str(path))
    # What ended the last line comes with what followed it.
    assert sorted(stored(server, "once", 5)) == ["", "one", "three", "two", "without an end"]


def test_strange_bytes_and_long_lines_arrive(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "strange.log"
    long = "x" * 1_000_000
    path.write_bytes(b"\xff\xfebroken\nnul \x00 byte\n" + long.encode() + b"\nwindows\r\n")
    once(server.http, tmp_path / "state", str(path))
    assert Counter(stored(server, "strange", 4)) == Counter(["\ufffd\ufffdbroken", "nul \x00 byte", long, "windows"])


def test_rotation_and_truncation_lose_nothing(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "turning.log"
    path.write_text("")
    collector = Collector(server.http, tmp_path / "state", str(tmp_path / "turning.log"))
    wanted = []
    try:
        with path.open("a") as file:
            for turn in range(6):
                for number in range(200):
                    wanted.append(f"turn {turn} line {number}")
                    file.write(wanted[-1] + "\n")
                file.flush()
                if turn in (0, 1, 3):
                    # The collector must have seen a file before it is moved out of its pattern.
                    stored(server, "turning", len(wanted), 60)
                if turn in (1, 3):
                    # The writer keeps the old file for a while, as it does until it is told to reopen; it was quiet
                    # before, and the collector sees the new name first.
                    time.sleep(1.5)
                    os.rename(path, tmp_path / f"turning.log.{turn}")
                    path.touch()
                    time.sleep(0.5)
                    for number in range(20):
                        wanted.append(f"late {turn} line {number}")
                        file.write(wanted[-1] + "\n")
                    file.flush()
                    file.close()
                    file = path.open("a")
            file.close()
        assert Counter(stored(server, "turning", len(wanted), 60)) == Counter(wanted)
        # copytruncate: the same file begins anew
        with path.open("r+") as file:
            file.truncate(0)
        with path.open("a") as file:
            file.write("after the cut\n")
        wanted.append("after the cut")
        assert Counter(stored(server, "turning", len(wanted), 60)) == Counter(wanted)
    finally:
        said = collector.stop()
    assert f"sent {len(wanted)} lines" in said


def _kept(state: Path) -> list[tuple[str, int]]:
    """What tells one state of the collector's files from another."""
    found = [state, *state.rglob("*")] if state.is_dir() else [state] if state.exists() else []
    return sorted((one.name, one.stat().st_mtime_ns) for one in found)


def test_kill_9_loses_nothing_and_repeats_nothing(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "killed.log"
    total = 400_000 if THOROUGH else 20_000
    wanted = [f"line {number} {random.getrandbits(64):x}" for number in range(total)]
    path.write_text("")
    seed = random.Random(4)
    place = 0
    turns = 5 if THOROUGH else 4
    for turn in range(turns):
        before = _kept(tmp_path / "state")
        collector = Collector(server.http, tmp_path / "state", str(path))
        until = total * (turn + 1) // turns
        with path.open("a") as file:
            while place < until:
                step = min(place + 500, until)
                file.write("".join(line + "\n" for line in wanted[place:step]))
                place = step
        # Once it has begun to send, at any moment.
        waited(lambda before=before: _kept(tmp_path / "state") != before, 60)  # type: ignore[misc]
        time.sleep(seed.uniform(0, 0.3))
        collector.stop(signal.SIGKILL)
    once(server.http, tmp_path / "state", str(path))
    found = Counter(stored(server, "killed", total, 60))
    assert found.total() == total
    assert found == Counter(wanted)


def test_lines_of_containers_have_their_pods_identity(server: RunningServer, tmp_path: Path) -> None:
    directory = tmp_path / "pods" / "shop_checkout-7d9c6b5f4-x2x4z_uid-1" / "app"
    directory.mkdir(parents=True)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    (directory / "0.log").write_text(
        f"{now}.000000001Z stdout F whole\n{now}.000000002Z stderr P first \n{now}.000000003Z stderr F second\n"
    )
    (directory / "1.log").write_text(json.dumps({"log": "of docker\n", "stream": "stdout", "time": f"{now}.5Z"}) + "\n")
    once(server.http, tmp_path / "state", str(directory / "*.log"), "--format", "container")
    assert stored(server, "checkout", 3) == ["whole", "first second", "of docker"]
    logs = server.get("/api/logs", selector='k8s_pod_name="checkout-7d9c6b5f4-x2x4z"', since="1h")["logs"]
    assert logs[-1]["resource"]["k8s.namespace.name"] == "shop"
    assert logs[-1]["resource"]["k8s.container.name"] == "app"
    assert logs[0]["attributes"]["log.iostream"] == "stdout"


def test_stack_traces_are_one_record(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "traces.log"
    path.write_text("2026-01-01 ERROR it broke\n  at one\n  at two\n2026-01-01 INFO next\n")
    once(server.http, tmp_path / "state", str(path), "--multiline", r"^\d{4}-")
    assert sorted(stored(server, "traces", 2)) == [
        "2026-01-01 ERROR it broke\n  at one\n  at two",
        "2026-01-01 INFO next",
    ]


def test_it_waits_for_a_server_that_is_away(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "away.log"
    path.write_text("patience\n")
    collector = Collector("http://127.0.0.1:9", tmp_path / "state", str(path))
    waited(lambda: "trying again" in collector.said())
    collector.stop()
    once(server.http, tmp_path / "state", str(path))
    assert stored(server, "away") == ["patience"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--format", "xml"], "--format"),
        (["x", "--multiline", "("], "--multiline"),
        (["x", "--label", "novalue"], "--label"),
    ],
)
def test_wrong_options_say_which(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = command("collect", "files", *arguments, "--state", str(tmp_path / "state"), "--server", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert says in done.stderr
    assert "Traceback" not in done.stderr
