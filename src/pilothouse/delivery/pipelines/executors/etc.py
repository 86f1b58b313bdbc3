"""The sandbox' `/etc`: a copy in memory of the small files that programs look for, mounted as one.

A mount takes bubblewrap about 0.3 ms, more the more there are; a copy is made once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pilothouse.delivery.pipelines.tasks import memory

# Directories with more than this are mounted instead: they may hold anything.
_MOST_FILES, _MOST_BYTES = 1000, 4_000_000


def stamps(patterns: Sequence[str]) -> tuple[object, ...]:
    """What tells whether a copy is still as the machine has it: every place and when it changed."""
    found: list[object] = []
    for place in _places(tuple(patterns), os.stat("/etc").st_mtime_ns):
        with contextlib.suppress(OSError):
            found.append((place, os.stat(place).st_mtime_ns))
    return tuple(found)


def binds(patterns: Sequence[str], stamp: tuple[object, ...]) -> tuple[str, ...]:
    """bubblewrap's arguments for an `/etc` with a copy of what matches. What cannot be read is left out."""
    name = hashlib.sha256(repr((patterns, stamp)).encode()).hexdigest()[:16]
    copy = memory.directory() / f"etc-{name}"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    mounts: list[str] = []
    for place in map(Path, _places(tuple(patterns), os.stat("/etc").st_mtime_ns)):
        target = copy / place.relative_to("/etc")
        with contextlib.suppress(OSError, shutil.Error):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_dir():
                shutil.copyfile(place, target)
            elif _is_small(place):
                shutil.copytree(place.resolve(), target, symlinks=True, dirs_exist_ok=True)
            else:
                target.mkdir(exist_ok=True)
                mounts += ["--ro-bind-try", str(place.resolve()), str(place)]
    return ("--ro-bind", str(copy), "/etc", *mounts)


@functools.lru_cache(4)
def _places(patterns: tuple[str, ...], changed: int) -> tuple[str, ...]:
    """What there may be, looked up anew when an entry of `/etc` came or went (`changed`)."""
    return tuple(
        str(place)
        for pattern in patterns
        for place in (sorted(Path("/etc").glob(pattern)) if "*" in pattern else [Path("/etc", pattern)])
    )


def _is_small(directory: Path) -> bool:
    files = size = 0
    for place, _, names in os.walk(directory):
        for name in names:
            files += 1
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
        if files > _MOST_FILES or size > _MOST_BYTES:
            return False
    return True
