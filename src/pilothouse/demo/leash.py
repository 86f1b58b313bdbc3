"""Ends the demo's processes when the demo itself is gone, however it went (`kill -9` included).

A watcher process reads a pipe whose other end only the demo holds. The demo writes which process groups it
started, which have ended and which directory is temporary. When the pipe breaks, the watcher ends the groups
that are left and removes the directory. This needs nothing that only one operating system has.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PATIENCE_SECONDS = 5.0


class Leash:
    """The demo's end of the pipe."""

    def __init__(self) -> None:
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "pilothouse.demo.leash"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def hold(self, group: int) -> None:
        """End this process group when the demo is gone."""
        self._tell(f"hold {group}")

    def release(self, group: int) -> None:
        """This process group has ended."""
        self._tell(f"release {group}")

    def remove_afterwards(self, directory: Path) -> None:
        """Remove this directory when the demo is gone."""
        self._tell(f"remove {directory}")

    def close(self) -> None:
        """Lets go: the watcher does what is left to do, and ends. Waits for it, but not for ever."""
        assert self._watcher.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._watcher.wait(2 * PATIENCE_SECONDS)

    def _tell(self, line: str) -> None:
        assert self._watcher.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._watcher.stdin, flush=True)


def watch(lines: Iterable[str]) -> None:
    """Follows the demo's orders until they end, then cleans up."""
    groups: set[int] = set()
    directories: list[str] = []
    for line in lines:
        order, _, what = line.rstrip("\n").partition(" ")
        if order == "hold":
            groups.add(int(what))
        elif order == "release":
            groups.discard(int(what))
        elif order == "remove":
            directories.append(what)
    _end(groups)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


def _end(groups: set[int]) -> None:
    left = {group for group in groups if _send(group, signal.SIGTERM)}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if _send(group, 0)}
    for group in left:
        _send(group, signal.SIGKILL)


def _send(group: int, signal_number: int) -> bool:
    """Whether the process group was still there."""
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    watch(sys.stdin)
