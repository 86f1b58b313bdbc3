"""How much memory text may take that stays decompressed between two queries."""

from __future__ import annotations

import os
from pathlib import Path

_SHARE = 8
_MOST = 4_000_000_000
# Control groups version 2 and 1: where a container's limit stands.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def cache_size() -> int:
    """An eighth of the memory that this process may have, at most 4 GB."""
    return memory_share(_SHARE, _MOST)


def memory_share(share: int, most: int) -> int:
    """One of so many parts of the memory that this process may have, in bytes, and at most so many."""
    known = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for file in _LIMITS:
        try:
            known.append(int(file.read_text()))
        except (OSError, ValueError):
            continue
    return min(min(known) // share, most)
