"""The demo's child processes: started with a log each, watched, and ended for certain."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pilothouse.demo.failures import ChildDiedError
from pilothouse.demo.leash import Leash

PATIENCE_SECONDS = 8.0
LOG_LINES, LOG_BYTES = 20, 16_384


@dataclass(frozen=True)
class Child:
    """One process, in a process group of its own; its output goes to the file `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def end_of_log(self) -> str:
        """The last lines that it wrote."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - LOG_BYTES))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:])
        return ""


class Processes:
    """All child processes of the demo. As a context manager it ends them: the first one last, as it takes the
    last telemetry of all others."""

    def __init__(self, logs: Path, leash: Leash) -> None:
        self._logs = logs
        self._leash = leash
        self._children: list[Child] = []

    @property
    def directory(self) -> Path:
        """Where their logs are, and what else ends with the demo."""
        return self._logs

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(*self._children[:0:-1])
        self.stop(*self._children)

    def start(
        self, name: str, command: Sequence[str], environment: dict[str, str], sockets: Sequence[int] = ()
    ) -> Child:
        """Starts a process; `sockets` are file descriptors that it inherits."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the demo's own commands
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=sockets,
            )
        self._leash.hold(process.pid)
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raises ChildDiedError when a process has ended that was not stopped."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise ChildDiedError(child.name, code, child.end_of_log())

    def stop(self, *children: Child) -> None:
        """SIGTERM to each, then SIGKILL for the whole group of one that does not end in time."""
        for child in children:
            self._children.remove(child)
            child.process.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            _kill_group(child.process.pid)
            child.process.wait()
            self._leash.release(child.process.pid)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
