"""Child processes: started, watched and ended, also when the demo itself is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.demo.failures import ChildDiedError
from pilothouse.demo.leash import Leash
from pilothouse.demo.processes import Child, Processes

ENVIRONMENT = dict(os.environ)
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)",
]


@pytest.fixture
def leash() -> Iterator[Leash]:
    """A leash that is let go at the end."""
    held = Leash()
    yield held
    held.close()


def alive(process: int) -> bool:
    """Whether a process runs; a zombie does not."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return bool(status.stdout.strip()) and not status.stdout.strip().startswith("Z")


def gone(process: int, seconds: float = 40) -> bool:
    """Whether the process ends in time: before a minute, after which it would by itself."""
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(process)


def printed(log: Path) -> str:
    """The first line that a child writes."""
    deadline = time.monotonic() + 60
    while not log.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return log.read_text().strip()


def test_children_end_with_the_block(tmp_path: Path, leash: Leash) -> None:
    with Processes(tmp_path, leash) as processes:
        children = [processes.start(name, SLEEP, ENVIRONMENT) for name in ("one", "two")]
        processes.check()
    assert [child.process.returncode for child in children] == [-signal.SIGTERM] * 2


def test_children_end_when_the_block_fails(tmp_path: Path, leash: Leash) -> None:
    def fail() -> None:
        with Processes(tmp_path, leash) as processes:
            children.append(processes.start("one", SLEEP, ENVIRONMENT))
            raise ZeroDivisionError

    children: list[Child] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert children[0].process.returncode is not None


def test_a_stubborn_child_and_its_own_children_are_killed(
    tmp_path: Path, leash: Leash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.demo.processes.PATIENCE_SECONDS", 0.3)
    with Processes(tmp_path, leash) as processes:
        child = processes.start("stubborn", STUBBORN, ENVIRONMENT)
        grandchild = int(printed(child.log))
        assert alive(grandchild)
    assert child.process.returncode == -signal.SIGKILL
    assert gone(grandchild)


def test_a_child_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path, leash: Leash) -> None:
    script = "import sys\nfor n in range(100): print('line', n)\nsys.exit(3)"
    with Processes(tmp_path, leash) as processes:
        processes.start("good", SLEEP, ENVIRONMENT)
        child = processes.start("checkout 2.0.0", [sys.executable, "-c", script], ENVIRONMENT)
        child.process.wait(60)
        with pytest.raises(ChildDiedError) as raised:
            processes.check()
    message = str(raised.value)
    assert "checkout 2.0.0 ended with exit code 3" in message
    assert "line 99" in message
    assert "line 79\n" not in message


def test_a_killed_child_is_named_with_the_signal(tmp_path: Path, leash: Leash) -> None:
    with Processes(tmp_path, leash) as processes:
        child = processes.start("payments", SLEEP, ENVIRONMENT)
        child.process.kill()
        child.process.wait()
        with pytest.raises(ChildDiedError, match="payments was killed by signal 9"):
            processes.check()


def test_a_stopped_child_is_not_missed(tmp_path: Path, leash: Leash) -> None:
    with Processes(tmp_path, leash) as processes:
        processes.stop(processes.start("old", SLEEP, ENVIRONMENT))
        processes.check()


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV])
def test_nothing_outlives_a_killed_demo(tmp_path: Path, signal_number: int) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    demo = textwrap.dedent("""
        import os, sys, time
        from pathlib import Path
        from pilothouse.demo.leash import Leash
        from pilothouse.demo.processes import Processes
        leash = Leash()
        leash.remove_afterwards(Path(sys.argv[1]))
        processes = Processes(Path(sys.argv[1]), leash)
        stopped = processes.start("stopped", [sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ))
        processes.stop(stopped)
        child = processes.start("child", [sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ))
        print(child.process.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", demo, str(scratch)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal_number)
    assert gone(child)
    deadline = time.monotonic() + 60
    while scratch.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not scratch.exists()
