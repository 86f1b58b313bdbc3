"""Processes that an ended process of ours has left behind."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def kill_left_steps(uids: set[str]) -> int:
    """End the processes that belong to TaskRuns whose process is gone; they carry its UID in their environment."""
    wanted = {f"PILOTHOUSE_TASK_RUN={uid}".encode() for uid in uids}
    killed = 0
    for entry in os.scandir("/proc") if uids and os.path.isdir("/proc") else ():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if wanted & set(Path(entry.path, "environ").read_bytes().split(b"\0")):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed
