"""A file in memory that columns are written into and the engine reads them from, by its number.

The pages that the last block took stay for the next one: clearing new ones would cost as much as filling them.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path


class RowsFile:
    """One block at a time. `file` is the descriptor, for as long as this is open."""

    def __init__(self, directory: Path) -> None:
        """Where the system has no files in memory, it is one without a name in `directory`."""
        self.file = _in_memory(directory)
        self._seen: mmap.mmap | None = None

    def room(self, size: int) -> memoryview:
        """The file's bytes, made so long; to be written at once, and gone with the next call."""
        os.ftruncate(self.file, size)
        if self._seen is None or len(self._seen) < size:
            # Not closed: who was given bytes of it may still hold them.
            self._seen = mmap.mmap(self.file, size)
        return memoryview(self._seen)[:size]

    def close(self) -> None:
        """Give the memory back."""
        self._seen = None
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def _in_memory(directory: Path) -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pilothouse-rows")
    number, name = tempfile.mkstemp(dir=directory)
    os.unlink(name)
    return number
