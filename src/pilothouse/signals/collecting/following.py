"""One file followed: lines from an offset on, through rotation and truncation.

A file is known by its inode and the fingerprint of its first bytes, not by its name: a renamed file is read to its end,
a new one of the same name from its start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

FINGERPRINT = 1024
LONGEST_LINE = 4_000_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line without its end, and the offset behind it."""

    text: bytes
    end: int


def fingerprint(path_or_handle: Path | int) -> tuple[int, str]:
    """How many first bytes were looked at, and their hash."""
    if isinstance(path_or_handle, int):
        head = os.pread(path_or_handle, FINGERPRINT, 0)
    else:
        with path_or_handle.open("rb") as file:
            head = file.read(FINGERPRINT)
    return len(head), xxhash.xxh3_64_hexdigest(head)


class FollowedFile:
    """An open file with the offset up to which its lines were given out."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        """Raises `OSError`."""
        self.path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(self._handle)
        self.device, self.inode = found.st_dev, found.st_ino
        self.offset = offset
        self.ended = False

    def lines(self, most_bytes: int, final: bool = False) -> Iterator[RawLine]:
        """The whole lines that are there, up to so many bytes; with `final` also a last one without an end."""
        size = os.fstat(self._handle).st_size
        if size < self.offset:
            # Truncated in place (logrotate's copytruncate): what is there now is new.
            self.offset = 0
        place, rest, given = self.offset, b"", 0
        while given < most_bytes:
            chunk = os.pread(self._handle, _CHUNK, place + len(rest))
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            for text in whole:
                place += len(text) + 1
                given += len(text) + 1
                yield self._line(text, place)
                if given >= most_bytes:
                    return
            if len(rest) >= LONGEST_LINE:
                place += len(rest)
                given += len(rest)
                yield self._line(rest, place)
                rest = b""
        if final and rest:
            yield self._line(rest, place + len(rest))

    def _line(self, text: bytes, place: int) -> RawLine:
        self.offset = place
        return RawLine(text.removesuffix(b"\r"), place)

    def is_replaced(self) -> bool:
        """Whether another file has this name now, or none has."""
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != (self.device, self.inode)

    def is_read(self) -> bool:
        """Whether nothing is left to read."""
        return os.fstat(self._handle).st_size <= self.offset

    def mark(self) -> tuple[int, str]:
        """What it is recognised by after a restart."""
        return fingerprint(self._handle)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._handle)
