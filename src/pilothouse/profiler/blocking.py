"""Whether a thread waits for something: the CPU it used before must then not be charged to the place where it waits.

Linux says in which system call a thread of the own process is (proc(5), `/proc/self/task/TID/syscall`). A thread that
waits for the interpreter's lock is in `futex` as well, as one that waits for a lock of its own; these are told apart by
the Python file that they are in.
"""

from __future__ import annotations

import platform
import sys
from types import FrameType

_FUTEX = {"x86_64": b"202", "aarch64": b"98"}.get(platform.machine(), b"")
_WAITING_FILES = ("/threading.py", "/queue.py", "/selectors.py", "/concurrent/futures/_base.py", "/subprocess.py")


def waits(native: int, frame: FrameType) -> bool:
    """Of a thread by its kernel id, and where it is; False where the system does not say."""
    if sys.platform != "linux" or not _FUTEX:
        return False
    try:
        with open(f"/proc/self/task/{native}/syscall", "rb", buffering=0) as file:
            call = file.read(16).split(None, 1)[0]
    except (OSError, IndexError):
        return False
    if call in (b"running", b"-1"):
        return False
    return call != _FUTEX or frame.f_code.co_filename.endswith(_WAITING_FILES)
