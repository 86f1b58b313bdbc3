"""Files that are written while somebody goes by them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def watch(paths: list[Path], seconds: float, on_change: Callable[[], None], is_over: Callable[[], bool]) -> None:
    """Call `on_change` whenever a file below `paths` was written, until `is_over`."""
    before = stamps(paths)
    while not is_over():
        time.sleep(seconds)
        if (now := stamps(paths)) != before:
            before = now
            on_change()


def stamps(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    """When each file below `paths` was written, and its size."""
    found = {}
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            try:
                status = file.stat()
            except OSError:
                continue
            found[file] = (status.st_mtime_ns, status.st_size)
    return found
