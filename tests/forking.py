"""`pilothouse` in processes of their own that need no start: each is forked from one that has imported what all need.

To import takes half the CPU of a server's start. What is about starting itself starts Python, as `tests.running` does
by itself (tests/server/test_process.py).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[1]
_LONGEST = 1 << 20
# All but chDB and pyarrow, which begin threads when they are loaded: what has threads cannot be forked.
_IMPORTED = (
    "pilothouse.cli.client", "pilothouse.server.process", "pilothouse.server.app", "pilothouse.server.logging",
    "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "grpc._server", "uvloop",
    "uvicorn.protocols.http.httptools_impl", "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvicorn.lifespan.off", "httpx", "rich.table",
)  # fmt: skip


@dataclass
class Forked:
    """A process that is nobody's child here, with what `subprocess.Popen` has for one. It does not outlive this one."""

    pid: int
    _ended: socket.socket
    returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, as `subprocess.Popen` counts it: None while it runs, negative for a signal."""
        with contextlib.suppress(TimeoutError):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same once it has ended; raises `TimeoutError` when it has not within so many seconds."""
        if self.returncode is None:
            self._ended.settimeout(timeout)
            try:
                code = self._ended.recv(4)
            except BlockingIOError:  # what there is no waiting for
                raise TimeoutError from None
            assert len(code) == 4, "what it was forked from is gone"
            self.returncode = int.from_bytes(code, "big", signed=True)
            self._ended.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As a power cut would end it."""
        self.send_signal(signal.SIGKILL)


def fork(
    arguments: Sequence[str],
    stderr: IO[bytes] | int,
    environment: dict[str, str],
    stdout: IO[bytes] | int = 1,
    where: str | None = None,
) -> Forked:
    """Run `pilothouse ARGUMENTS` in a directory (here, when it is not said), with nothing to read."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said = json.dumps([list(arguments), where or os.getcwd(), environment]).encode()
    written = [one if isinstance(one, int) else one.fileno() for one in (stdout, stderr)]
    with theirs:
        socket.send_fds(_origin(), [said], [*written, theirs.fileno()])
    pid = ours.recv(4)
    assert len(pid) == 4, "what processes are forked from is gone"
    return Forked(int.from_bytes(pid, "big"), ours)


@functools.cache
def _origin() -> socket.socket:
    """To the process that all are forked from, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # What numpy and gRPC read when they are imported, as `pilothouse up` sets it.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "GRPC_ENABLE_FORK_SUPPORT": "0"}
    with theirs:
        _KEPT.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
                cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            )
        )  # fmt: skip
    return ours


_KEPT: list[subprocess.Popen[bytes]] = []


def _serve(asked: socket.socket) -> None:
    from pilothouse.cli.program import program
    from pilothouse.cli.up import _import_structlog

    _import_structlog()
    for name in _IMPORTED:
        importlib.import_module(name)
    program()
    tasks = Path("/proc/self/task")
    assert not tasks.exists() or len(list(tasks.iterdir())) == 1, "what has threads cannot be forked"
    # Who waits for a process is nobody's business.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        said, files, _, _ = socket.recv_fds(asked, _LONGEST, 3)
        if not said:
            return
        if os.fork() == 0:
            asked.close()
            _keep(files[:2], socket.socket(fileno=files[2]), *json.loads(said))
        for file in files:
            os.close(file)


def _keep(
    written: list[int], answer: socket.socket, arguments: list[str], where: str, environment: dict[str, str]
) -> None:
    """In a process of its own: start one, say its number, wait for it, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        answer.close()
        _run(written, arguments, where, environment)
    for file in (*written, 1, 2):
        # A pipe or a terminal ends when the command does.
        os.close(file)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer.sendall(child.to_bytes(4, "big"))
    # Not every system has it, nor lets every container have it.
    with contextlib.suppress(AttributeError, OSError):
        ended = os.pidfd_open(child)
        if ended not in select.select([ended, answer], [], [])[0]:
            # Nobody is left who could end it.
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        answer.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    os._exit(0)


def _run(written: list[int], arguments: list[str], where: str, environment: dict[str, str]) -> None:
    from pilothouse.cli import main

    for number, file in enumerate(written, 1):
        os.dup2(file, number)
        os.close(file)
    os.chdir(where)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pilothouse", *arguments]
    # As whom a command speaks of itself.
    sys.modules["__main__"].__package__ = None
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
