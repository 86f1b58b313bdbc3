"""What was acknowledged is there exactly once: after `kill -9`, a torn journal, a full disk, and in an orderly end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import grpc
import httpx
import pytest

from pilothouse.engine import open_engine
from tests.acceptance import telemetry
from tests.commands import apart
from tests.running import RunningServer, start_server

Start = Callable[[Path], RunningServer]
_SENDERS = 4
THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))
_RECORDS = 3


class Load:
    """Senders, half of them over gRPC and half over HTTP, that send a request again until it is acknowledged.

    `server` may be exchanged while they send. `acknowledged` has the names of all records whose request was answered.
    """

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.acknowledged: list[str] = []
        self.refused: Counter[str] = Counter()
        self._stop, self._abandoned = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._send_forever, args=(number,)) for number in range(_SENDERS)]
        for thread in self._threads:
            thread.start()

    def finish(self, abandon: bool = False) -> None:
        """Let every sender have its last request acknowledged, or give up on it."""
        self._stop.set()
        if abandon:
            self._abandoned.set()
        for thread in self._threads:
            thread.join(timeout=120)
            assert not thread.is_alive()

    def _send_forever(self, sender: int) -> None:
        with httpx.Client(timeout=60) as client, contextlib.ExitStack() as channels:
            send = self._over_grpc(channels) if sender % 2 else partial(self._over_http, client)
            self._send_with(send, sender)

    def _send_with(self, send: Callable[[bytes], bool], sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            names = [f"{sender}-{number}-{record}" for record in range(_RECORDS)]
            body = telemetry.logs("load", names)
            while not send(body):
                if self._abandoned.wait(0.2):
                    return
            self.acknowledged += names
            number += 1

    def _over_http(self, client: httpx.Client, body: bytes) -> bool:
        try:
            answer = client.post(f"{self.server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF)
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            self.refused[f"{answer.status_code}, retry after {answer.headers.get('retry-after')}"] += 1
        return answer.status_code == 200

    def _over_grpc(self, channels: contextlib.ExitStack) -> Callable[[bytes], bool]:
        """Sends over one channel for each server that there was."""

        @cache
        def channel_to(address: str) -> grpc.Channel:
            return channels.enter_context(grpc.insecure_channel(address))

        def send(body: bytes) -> bool:
            try:
                channel_to(self.server.grpc).unary_unary(telemetry.LOGS)(body, timeout=60)
            except grpc.RpcError as error:
                self.refused[error.code().name] += 1
                return False
            return True

        return send


def stored(directory: Path) -> Counter[str]:
    """How often each record is in the store of a server that has ended."""
    engine = open_engine(directory / "data" / "store")
    rows = engine.query("SELECT body, count() AS n FROM logs GROUP BY body").to_pylist()
    engine.close()
    return Counter({row["body"]: row["n"] for row in rows})


@pytest.fixture(scope="module")
def server(new_server: RunningServer) -> RunningServer:
    """A server that can be hindered."""
    return new_server


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; those that a failed test leaves are killed."""
    started = []

    def starting(directory: Path) -> RunningServer:
        started.append(start_server(directory))
        return started[-1]

    yield starting
    for server in started:
        server.kill()


@contextmanager
def load_on(server: RunningServer) -> Iterator[Load]:
    """Senders that end with the block, or with the test's failure; the server ends with the latter."""
    load = Load(server)
    try:
        yield load
        load.finish()
    except BaseException:
        load.finish(abandon=True)
        load.server.kill()
        raise


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def tear(directory: Path) -> None:
    """What a power cut leaves of a journal: half a frame, or one whose bytes never reached the disk."""
    [segment] = (directory / "data" / "journal").glob("logs-*.segment")
    with segment.open("ab") as file:
        file.write(segment.read_bytes()[:-9] + bytes(4000))


def test_every_acknowledged_record_is_there_exactly_once_after_kill_9(start: Start, tmp_path: Path) -> None:
    """Also where the journal's end was torn: that is cut off."""
    server = start(tmp_path)
    whole = telemetry.logs("load", ["whole"])
    assert httpx.post(f"{server.otlp}/v1/logs", content=whole, headers=telemetry.PROTOBUF).status_code == 200
    server.kill()
    tear(tmp_path)
    with load_on(start(tmp_path)) as load:
        load.acknowledged.append("whole")
        for _ in range(2 if THOROUGH else 1):
            sent = len(load.acknowledged)
            wait_until(lambda sent=sent: len(load.acknowledged) > sent + 100)  # type: ignore[misc]
            load.server.kill()
            load.server = start(tmp_path)
        sent = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > sent + 30)
    total = len(load.acknowledged)
    load.server.wait_for("/api/logs", "count", total, selector='service_name="load"', count="1")
    assert load.server.stop() == 0
    assert "stored what the journal held from before" in load.server.log.read_text()
    found = stored(tmp_path)
    assert found - Counter(load.acknowledged) == Counter(load.acknowledged) - found == Counter()


# Both signals are handled by the same code.
SIGNALS = [signal.SIGTERM, signal.SIGINT] if THOROUGH else [signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_orderly_end_under_load_loses_nothing(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    server = start(tmp_path)
    load = Load(server)
    try:
        wait_until(lambda: len(load.acknowledged) > 60)
        server.process.send_signal(number)
        assert server.process.wait(timeout=60) == 0
    finally:
        server.kill()
        load.finish(abandon=True)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert not list((tmp_path / "data" / "journal").glob("*.segment"))
    found = stored(tmp_path)
    assert Counter(load.acknowledged) - found == Counter()
    assert set(found.values()) == {1}


def test_a_journal_that_cannot_grow_acknowledges_nothing(server: RunningServer) -> None:
    """The kernel refuses writes beyond a file size, as it does on a full disk; then it allows them again."""
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    body = telemetry.logs("full", [f"{number:0200}" for number in range(1000)])
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    try:
        answer = httpx.post(f"{server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(telemetry.LOGS)(body, timeout=60)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "journal cannot be written" in caught.value.details()
        assert "grpc-status-details-bin" in dict(caught.value.trailing_metadata())
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert httpx.post(f"{server.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).status_code == 200
    asked = {"selector": 'service_name="full"', "count": "1"}
    server.wait_for("/api/logs", "count", 1000, seconds=60, **asked)
    assert server.get("/api/logs", **asked)["count"] == 1000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(ballast: Path) -> None:
    """Write until there is no more space."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(100_000))


def test_a_full_disk_loses_nothing_that_was_acknowledged(start: Start, small_disk: Path, tmp_path: Path) -> None:
    server = start(small_disk)
    ballast = small_disk / "ballast"
    with load_on(server) as load:
        wait_until(lambda: len(load.acknowledged) > 60)
        fill(ballast)
        wait_until(lambda: load.refused["UNAVAILABLE"] > 3 and any("503" in why for why in load.refused))
        ballast.unlink()
        sent = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > sent + 60, 60)
    assert all(why == "UNAVAILABLE" or why.startswith("503, retry after ") for why in load.refused), load.refused
    total = len(load.acknowledged)
    server.wait_for("/api/logs", "count", total, seconds=60, selector='service_name="load"', count="1")
    assert server.stop() == 0
    found = stored(small_disk)
    assert found - Counter(load.acknowledged) == Counter(load.acknowledged) - found == Counter()


def _refused_start(*arguments: str) -> str:
    """What a server that cannot start says."""
    done = apart("up", *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_second_server_on_the_same_data_is_told_so_in_one_sentence(server: RunningServer) -> None:
    directory = server.log.parent
    said = _refused_start("--data", str(directory / "data"), "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0",
                          "--otlp-http", "127.0.0.1:0")  # fmt: skip
    assert said == (
        f"pilothouse: {directory}/data is in use by another Pilothouse (process {server.process.pid}): "
        "stop it, or choose another directory with --data\n"
    )
    assert server.get("/api/status")["storing"] == "ok"


# Both ports of HTTP are opened by the same code.
PORTS = [("--http", "http"), ("--otlp-grpc", "grpc"), *([("--otlp-http", "otlp")] if THOROUGH else [])]


@pytest.mark.parametrize(("flag", "port"), PORTS)
def test_a_port_that_is_taken_is_named_in_one_sentence(
    server: RunningServer, tmp_path: Path, flag: str, port: str
) -> None:
    address = server.addresses[port].removeprefix("http://")
    arguments = {"--http": "127.0.0.1:0", "--otlp-grpc": "127.0.0.1:0", "--otlp-http": "127.0.0.1:0"} | {flag: address}
    said = _refused_start("--data", str(tmp_path / "other"), *(part for pair in arguments.items() for part in pair))
    assert said.startswith(f"pilothouse: {address}: cannot listen there")
    assert said.count("\n") == 1


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = _refused_start("--data", str(tmp_path / "file" / "data"))
    assert said == f"pilothouse: {tmp_path}/file/data: Not a directory\n"
    said = _refused_start("--data", str(tmp_path / "file"))
    assert said == f"pilothouse: {tmp_path}/file is not a directory: choose another with --data\n"
