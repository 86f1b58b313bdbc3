"""How much memory text may take that stays decompressed between two queries."""

from __future__ import annotations

import os
from pathlib import Path

_SHARE = 8
_MOST = 4_000_000_000
# Control groups version 2 and 1: where a container's limit stands.
_GROUPS = Path("/sys/fs/cgroup")
_LIMIT_OF_VERSION_1 = _GROUPS / "memory" / "memory.limit_in_bytes"
_OWN_GROUP = Path("/proc/self/cgroup")


def cache_size() -> int:
    """An eighth of the memory that this process may have, at most 4 GB."""
    return memory_share(_SHARE, _MOST)


def memory_share(share: int, most: int) -> int:
    """One of so many parts of the memory that this process may have, in bytes, and at most so many."""
    known = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for file in _limits():
        try:
            known.append(int(file.read_text()))
        except (OSError, ValueError):
            continue
    return min(min(known) // share, most)


def _limits() -> list[Path]:
    """The files that may hold a limit: of the group this process is in (a systemd service's), and of all above it."""
    try:
        lines = _OWN_GROUP.read_text().splitlines()
    except OSError:
        lines = []
    own = next((Path(line[len("0::/") :]) for line in lines if line.startswith("0::/")), Path())
    # Inside of a container the group that is its own is the root; what is named beyond it cannot be seen.
    return [*(_GROUPS / one / "memory.max" for one in (own, *own.parents)), _LIMIT_OF_VERSION_1]
