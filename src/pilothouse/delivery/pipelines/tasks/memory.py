"""A private directory in memory for what is small and short-lived, or one on the disk where there is none."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_SHARED = "/dev/shm"  # noqa: S108  (checked: ours alone, see `_private`)
# Below this much room it is not worth it: a container's default is 64 MB, all of it ours.
_LEAST = 32_000_000


@functools.cache
def directory() -> Path:
    """This process's own directory. Those that killed processes left are removed."""
    base = f"{_SHARED}/pilothouse-{os.geteuid()}"
    try:
        os.makedirs(base, 0o700, exist_ok=True)
        if not _private(base) or shutil.disk_usage(base).free < _LEAST:
            raise OSError
        _sweep(base)
        own = f"{base}/{os.getpid()}"
        os.makedirs(own, 0o700, exist_ok=True)
        atexit.register(remove)
        return Path(own)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="pilothouse-"))


@functools.cache
def _remover() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="removing")


def later(work: Callable[[], None]) -> None:
    """Do some removing beside everything else, in order."""
    _remover().submit(work)


def settle() -> None:
    """Wait until what was to be removed later is removed."""
    _remover().submit(lambda: None).result()


def remove() -> None:
    """At the end of the process."""
    if _remover.cache_info().currsize:
        _remover().shutdown(wait=True)
        _remover.cache_clear()
    if directory.cache_info().currsize:
        shutil.rmtree(directory(), ignore_errors=True)
        directory.cache_clear()


def _private(path: str) -> bool:
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _sweep(base: str) -> None:
    for name in os.listdir(base):
        if name.isdigit() and not os.path.exists(f"/proc/{name}"):
            shutil.rmtree(f"{base}/{name}", ignore_errors=True)
