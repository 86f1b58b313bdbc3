"""The machine: clock, git, open files, memory."""

from __future__ import annotations

import ctypes
import resource
import shutil
import sys
from collections.abc import Iterator

from pilothouse.engine.caching import cache_size
from pilothouse.server.doctor.model import Finding, ok, warning

_FILES = 4_096
_MEMORY = 1_000_000_000
# adjtimex(2): the clock is not held to a time source.
_UNSYNCHRONISED = 0x0040
_STATUS_PLACE, _TIMEX_BYTES = 40, 256


def examine() -> Iterator[Finding]:
    """What the operating system gives."""
    yield from _clock()
    if shutil.which("git"):
        yield ok("git", "the forge, merges and pipelines of pull requests have it")
    else:
        yield warning(
            "git", "there is none: the built-in forge is off, and pull requests of others fail", "install git"
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _FILES:
        yield warning(
            "open files", f"{soft} may be open at once", f"ulimit -n {min(hard, 65_536) if hard > 0 else 65_536}"
        )
    else:
        yield ok("open files", f"{soft} may be open at once")
    # The cache is an eighth of what this process may have.
    memory = cache_size() * 8
    if memory < _MEMORY:
        yield warning("memory", f"{memory / 1e9:.1f} GB", "give it 1 GB or more; questions may take 1 GB each")
    else:
        yield ok("memory", f"at least {memory / 1e9:.1f} GB")


def _clock() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
        answer = libc.adjtimex(buffer)
        status = int.from_bytes(buffer.raw[_STATUS_PLACE : _STATUS_PLACE + 4], sys.byteorder)
    except (OSError, AttributeError):
        return
    if answer < 0:
        return
    if status & _UNSYNCHRONISED:
        remedy = (
            "run an NTP client (chrony, systemd-timesyncd): records of the future are refused, and traces look torn"
        )
        yield warning("clock", "the clock is not held to a time source, as far as the kernel knows", remedy)
    else:
        yield ok("clock", "the clock is held to a time source")
