"""The demo ends in order, however it is made to: a signal, `kill -9`, a process that dies, a start that fails."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pilothouse.demo import DemoOptions, run_demo
from pilothouse.demo.failures import Stopped
from pilothouse.demo.leash import Leash
from pilothouse.demo.processes import Processes
from pilothouse.demo.running import Signals, keep_serving
from pilothouse.demo.system import System
from tests.thorough import THOROUGH

pytestmark = pytest.mark.slow
ANY_PORT = "127.0.0.1:0"
START = f"""
import sys
from pathlib import Path
from pilothouse.demo import DemoOptions, run_demo
ports = {ANY_PORT!r}, {ANY_PORT!r}, {ANY_PORT!r}
options = DemoOptions(False, "release", "regression", Path(sys.argv[1]), *ports)
sys.exit(run_demo(options))
"""


@dataclass(frozen=True)
class Running:
    """A demo in a process of its own, what it tells, and where it keeps its files."""

    process: subprocess.Popen[bytes]
    told: Path
    scratch: Path

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Until the demo has told this."""
        deadline = time.monotonic() + seconds
        while text not in self.told.read_text():
            assert self.process.poll() is None, self.told.read_text()
            assert time.monotonic() < deadline, self.told.read_text()
            time.sleep(0.05)

    def processes(self) -> dict[str, int]:
        """The process ids of the demo and its children, by what they run."""
        listed = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        ours = [line for line in listed.stdout.splitlines() if f"TMPDIR={self.scratch}" in line]
        matches = (re.match(r"\s*(\d+) \S+ (?:-m (?:pilothouse\.demo\.)?(\S+)|-c)", line) for line in ours)
        return {match[2] or "demo": int(match[1]) for match in matches if match}

    def end(self) -> int:
        """The exit code, once the demo has ended; nothing may be left of it."""
        code = self.process.wait(60)
        deadline = time.monotonic() + 60
        while (self.processes() or list(self.scratch.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.processes() == {}
        assert list(self.scratch.iterdir()) == []
        return code


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    """Starts the demo; kills it at the end, should it still run."""
    scratch, told = directory / "scratch", directory / "told"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    with told.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(directory / "data")], env=environment, stdout=output, stderr=output
        )
    try:
        yield Running(process, told, scratch)
    finally:
        process.kill()
        process.wait()


# Ctrl-C is heard in the same way as SIGTERM, below and at the end of the acceptance test's demo. That nothing outlives
# a killed demo, `test_processes` holds on one without a shop, which takes eight seconds of CPU to start.
ENDS = [(signal.SIGTERM, 143), *([(signal.SIGKILL, -9)] if THOROUGH else [])]


@pytest.mark.parametrize(("signal_number", "code"), ENDS)
def test_nothing_is_left_of_a_stopped_demo(tmp_path: Path, signal_number: int, code: int) -> None:
    with running(tmp_path) as demo:
        demo.wait_for("visitors come")
        assert demo.processes().keys() >= {"demo", "pilothouse", "shop.gateway", "shop.checkout", "leash"}
        demo.process.send_signal(signal_number)
        assert demo.end() == code
    assert (tmp_path / "data").is_dir()


@pytest.mark.skipif(
    not THOROUGH, reason="eight seconds of CPU for a whole shop; test_processes holds it on a child alone"
)
def test_a_process_that_dies_is_named(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        demo.wait_for("visitors come")
        os.kill(demo.processes()["shop.payments"], signal.SIGKILL)
        assert demo.end() == 3
        assert "payments 2.3.1 was killed by signal 9" in demo.told.read_text()


def test_a_server_that_does_not_start_is_named_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a directory")
    with running(tmp_path) as demo:
        assert demo.end() == 3
        told = demo.told.read_text()
    assert "pilothouse ended with exit code" in told
    assert "The end of its log" in told
    assert "Traceback" not in told


def test_a_bad_option_is_named() -> None:
    with pytest.raises(ValueError, match="scenario: 'bad' is not one of regression, slow"):
        DemoOptions(scenario="bad")
    with pytest.raises(ValueError, match="output: 'xml'"):
        DemoOptions(output="xml")


def test_a_bad_address_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_demo(DemoOptions(http="nowhere")) == 3
    assert "'nowhere' is not an address" in capfd.readouterr().err


def test_ctrl_c_is_how_serving_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    signals = Signals()
    with contextlib.closing(Leash()) as leash, Processes(tmp_path, leash) as processes:
        system = System(processes, ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"), signals.check)
        with signals.caught(), contextlib.closing(system):
            os.kill(os.getpid(), signal.SIGINT)
            keep_serving(system)
    assert "Ctrl-C ends both" in capfd.readouterr().err


def test_a_second_signal_does_not_wait() -> None:
    with Signals().caught():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
