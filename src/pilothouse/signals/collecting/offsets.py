"""How far each file was sent, kept on disk: written anew and renamed, so that a crash leaves the old or the new.

Before a batch is sent, what will be true after it is written down beside what is true now. A collector that died in
between asks the server whether that batch came, so that no line is sent twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xxhash

from pilothouse.replacing import replace_file


@dataclass(frozen=True, slots=True)
class Offset:
    """A file that was known: what it is recognised by, and up to where it was sent."""

    path: str
    device: int
    inode: int
    head_length: int
    head: str
    offset: int


@dataclass(frozen=True, slots=True)
class Intent:
    """A batch about to be sent: its name, the times (nanoseconds) of its lines, and the offsets after it."""

    batch: str
    start: int
    end: int
    files: tuple[Offset, ...]


class Offsets:
    """The offsets of all files of one collector."""

    def __init__(self, file: Path) -> None:
        """Reads what an earlier collector left; a broken file is an error, not a fresh start."""
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self._known: list[Offset] = []
        self.intent: Intent | None = None
        if file.exists():
            content = json.loads(file.read_text())
            self._known = _offsets(content["files"])
            if intent := content.get("intent"):
                files = tuple(_offsets(intent["files"]))
                self.intent = Intent(intent["batch"], intent["start"], intent["end"], files)

    def settle(self, arrived: bool) -> None:
        """What became of the batch that was about to be sent."""
        if self.intent and arrived:
            self._known = list(self.intent.files)
        self.intent = None
        self._write()

    def find(self, path: Path, device: int, inode: int) -> Offset | None:
        """The offset of this file, whatever its name was then."""
        for known in self._known:
            if (known.device, known.inode) == (device, inode):
                with path.open("rb") as file:
                    head = file.read(known.head_length)
                # Inodes are used again: the same first bytes say that it is the same file.
                if len(head) == known.head_length and xxhash.xxh3_64_hexdigest(head) == known.head:
                    return known
        return None

    def intend(self, intent: Intent) -> None:
        """Write down what is about to be sent."""
        self.intent = intent
        self._write()

    def _write(self) -> None:
        content: dict[str, object] = {"version": 1, "files": [asdict(one) for one in self._known]}
        if self.intent:
            content["intent"] = asdict(self.intent)
        replace_file(self._file, json.dumps(content), durable=True)


def _offsets(rows: Iterable[Mapping[str, Any]]) -> list[Offset]:
    return [Offset(**row) for row in rows]
