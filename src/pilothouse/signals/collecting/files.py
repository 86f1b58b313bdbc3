"""`pilothouse collect files GLOB`: all files that match, followed from where the last collector stopped."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from pilothouse.signals.collecting.following import FollowedFile
from pilothouse.signals.collecting.formats import FORMATS, LogLine
from pilothouse.signals.collecting.joining import Joiner
from pilothouse.signals.collecting.offsets import Intent, Offset, Offsets
from pilothouse.signals.collecting.sending import Batch, Sender

log = structlog.get_logger(__name__)

_BYTES_AT_ONCE = 4_000_000
_QUIET = 1.0
_LOOK_EVERY = 1.0
# A writer keeps a file that was renamed until it is told to reopen it.
_STILL_WRITTEN = 10.0
Describe = Callable[[Path], Mapping[str, str]]


@dataclass
class _Source:
    file: FollowedFile
    joiner: Joiner
    resource: Mapping[str, str]
    sent: int
    heard: float = field(default_factory=time.monotonic)
    replaced: float | None = None

    def is_over(self) -> bool:
        """Whether the file was renamed or deleted, and nobody has written to it for so long that nobody will."""
        if not self.file.is_replaced():
            self.replaced = None
            return False
        self.replaced = self.replaced or time.monotonic()
        return time.monotonic() - max(self.replaced, self.heard) > _STILL_WRITTEN


@dataclass
class FileCollector:
    """Follows `patterns` (globs) and sends to `sender`; offsets are kept in `state`."""

    patterns: list[str]
    sender: Sender
    state: Path
    describe: Describe
    form: str = "plain"
    multiline: str = ""
    from_start: bool = True
    once: bool = False
    stopping: Callable[[], bool] = lambda: False
    _sources: dict[tuple[int, int], _Source] = field(default_factory=dict)
    _started: bool = False

    def run(self) -> None:
        """Until it is told to stop, or with `once` until all that is there has been sent."""
        offsets = Offsets(self.state)
        if offsets.intent:
            offsets.settle(self.sender.has(offsets.intent))
        looked = float("-inf")
        while not self.stopping():
            if time.monotonic() - looked >= _LOOK_EVERY:
                self._look(offsets)
                looked = time.monotonic()
            moved = self._round(offsets)
            if self.once and not moved:
                break
            if not moved:
                time.sleep(0.1)
        self._round(offsets, final=True)
        for source in self._sources.values():
            source.file.close()

    def _look(self, offsets: Offsets) -> None:
        """Open what is new."""
        for name in sorted({name for pattern in self.patterns for name in glob.glob(pattern, recursive=True)}):
            path = Path(name)
            try:
                found = os.stat(path)
                if not path.is_file() or (found.st_dev, found.st_ino) in self._sources:
                    continue
                known = offsets.find(path, found.st_dev, found.st_ino)
                file = FollowedFile(path, known.offset if known else 0)
            except OSError as error:
                log.warning("cannot read a file", path=name, reason=error.strerror)
                continue
            if not known and not self.from_start and not self._started:
                file.offset = found.st_size
            start = re.compile(self.multiline) if self.multiline else None
            self._sources[file.device, file.inode] = _Source(file, Joiner(start), self.describe(path), file.offset)
        self._started = True

    def _round(self, offsets: Offsets, final: bool = False) -> bool:
        """Read some of each file, send it, and only then remember how far that was."""
        batch, read = Batch(self.sender), 0
        for source in list(self._sources.values()):
            read += self._read(source, batch, final)
            if batch.is_full:
                if not self._send(batch, offsets):
                    return False
                batch = Batch(self.sender)
        if not self._send(batch, offsets):
            return False
        self._drop_finished()
        return read > 0

    def _read(self, source: _Source, batch: Batch, final: bool) -> int:
        parse, joiner, count = FORMATS[self.form], source.joiner, 0
        now = time.time_ns()
        ends = final and self.once
        for raw in source.file.lines(_BYTES_AT_ONCE, ends or source.is_over()):
            count += 1
            line = joiner.add(parse(raw.text.decode("utf-8", "replace")), raw.end)
            self._put(batch, source, line, now)
            if batch.is_full:
                # Short lines are many times as large with what is said of each; the rest of the file comes next.
                break
        if count:
            source.heard = time.monotonic()
        elif joiner.waits and (final or time.monotonic() - source.heard > _QUIET):
            self._put(batch, source, joiner.flush(), now)
        return count

    def _put(self, batch: Batch, source: _Source, line: LogLine | None, now: int) -> None:
        if line:
            line.attributes.setdefault("log.file.path", str(source.file.path))
            batch.add(source.resource, line, now)

    def _send(self, batch: Batch, offsets: Offsets) -> bool:
        if batch.is_empty:
            return True
        for source in self._sources.values():
            if source.joiner.safe:
                source.sent = min(source.joiner.safe, source.file.offset)
        after = tuple(self._offset(source) for source in self._sources.values())
        offsets.intend(Intent(batch.name, batch.start, batch.end, after))
        # An unsettled intent is left for the next collector to ask about.
        if not batch.send():
            return False
        offsets.settle(arrived=True)
        return True

    def _offset(self, source: _Source) -> Offset:
        file = source.file
        length, head = file.mark()
        return Offset(str(file.path), file.device, file.inode, length, head, source.sent)

    def _drop_finished(self) -> None:
        """A file that was renamed or deleted is let go when it has been read and nothing of it waits."""
        for key, source in list(self._sources.items()):
            if source.is_over() and source.file.is_read() and not source.joiner.waits:
                source.file.close()
                del self._sources[key]
