"""Who does something: a process of a machine, told apart from a later one with the same number."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from pathlib import Path


@functools.cache
def me() -> str:
    """This process: machine, number, and when it started."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}"


def alive(owner: str) -> bool | None:
    """Whether that process still is there; None when it is one of another machine."""
    machine, _, rest = owner.rpartition(":")[0].rpartition(":")[0], None, owner.rsplit(":", 2)[1:]
    if machine != _machine():
        return None
    pid, started = rest
    return _started(int(pid)) == started and started != ""


def _machine() -> str:
    """The machine and its boot: after a restart no process of before is there."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()}/{Path('/proc/sys/kernel/random/boot_id').read_text().strip()[:8]}"
    return socket.gethostname()


def _started(pid: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        return "?"
    return ""
