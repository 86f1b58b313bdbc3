"""The output of one step: masked, kept in a file up to a size, told to the listener, copied where the YAML says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from pilothouse.delivery.pipelines.masking import Lines, Masker

# A step that prints without end must fill neither the disk nor the store.
LARGEST = 64_000_000
_COPY = 16_000_000


class Output:
    """Takes the chunks of a step's stdout and stderr."""

    def __init__(self, path: str, masker: Masker, tell: Callable[[bytes], None], largest: int = LARGEST) -> None:
        self.path = path
        self._tell = tell
        self._masker = masker
        self._largest = largest
        self._lines = Lines()
        self._file: int | None = None
        self.written = 0
        self.dropped = 0
        self.problem = ""

    def feed(self, chunk: bytes) -> None:
        """Take a chunk."""
        if whole := self._lines.feed(chunk):
            self._keep(whole)

    def say(self, line: str) -> None:
        """Add a line of our own."""
        self._keep(self._lines.rest() + line.encode() + b"\n")

    def close(self) -> None:
        """Keep what is left, and say what was left out."""
        if rest := self._lines.rest():
            self._keep(rest)
        if self.dropped:
            note = f"... {self.dropped} more bytes were not kept: a step's log holds {self._largest} bytes\n".encode()
            self._tell(note)
            self._write(note)
        self.close_file()

    def close_file(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _keep(self, whole: bytes) -> None:
        if self.written >= self._largest:
            self.dropped += len(whole)
            return
        masked = self._masker.mask(whole)
        self.written += len(masked)
        self._write(masked)
        self._tell(masked)

    def _write(self, data: bytes) -> None:
        if self.problem:
            return
        try:
            if self._file is None:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(self._file, data)
        except OSError as error:
            # The step is not at fault: it goes on, its log ends here.
            self.problem = f"its log could not be written: {error.strerror}"
            self.close_file()


class Copy:
    """What a step's `stdoutConfig` or `stderrConfig` asks for: the bytes as they are, in a file."""

    def __init__(self, path: Path | None) -> None:
        self._size = 0
        self._file: int | None = None
        if path:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def feed(self, chunk: bytes) -> None:
        """Take a chunk."""
        if self._file is not None and self._size < _COPY:
            self._size += len(chunk)
            with contextlib.suppress(OSError):
                os.write(self._file, chunk)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
