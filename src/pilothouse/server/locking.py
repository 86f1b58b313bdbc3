"""One process a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class DataDirectoryError(Exception):
    """The data directory cannot be used; the message says why and what to do."""


def lock(directory: Path) -> int:
    """Take the directory for this process; the returned descriptor keeps it until it is closed."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileExistsError:
        raise DataDirectoryError(f"{directory} is not a directory: choose another with --data") from None
    except OSError as error:
        raise DataDirectoryError(f"{directory}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 20).decode(errors="replace").strip()
        os.close(handle)
        process = f"another Pilothouse (process {owner})" if owner else "another Pilothouse"
        raise DataDirectoryError(
            f"{directory} is in use by {process}: stop it, or choose another directory with --data"
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle
