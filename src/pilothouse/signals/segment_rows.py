"""Columns for the engine out of a segment of OTLP requests, made in C (`native/segment_rows.c`), where that suffices.

The engine's own way, parsing protobuf and flattening messages, takes three times as long. It stays for what is odd, and
for where the C was not compiled; the rows are the same.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.engine import BlockOfRows

if TYPE_CHECKING:
    from pilothouse.signals import _segment_rows as native
else:
    try:
        from pilothouse.signals import _segment_rows as native
    except ImportError:  # not compiled here, or for another Python
        native = None

# A segment is noted in 32 bits.
_MOST_BYTES = 2**32 - 1


def is_there() -> bool:
    """Whether columns can be made in this process."""
    return native is not None


def samples_written(request: bytes, first: int, last: int) -> int | None:
    """How many samples a request of remote write has when it has nothing odd; None of another, and without the C.

    Nothing odd are named series, their labels in order, with samples between two times (milliseconds).
    """
    return None if native is None else native.samples_written(request, first, last)


def rows_of(kind: str, where: str = "") -> BlockOfRows | None:
    """The rows of a `kind` of requests (`logs`, `traces`), by clauses that stand behind FROM; None without the C."""
    if native is None:
        return None
    names = tuple(name for name, _ in native.columns_of(kind))
    return selected(kind, f"SELECT {', '.join(names)} FROM {{rows}} {where}", names)


def selected(kind: str, select: str, into: tuple[str, ...]) -> BlockOfRows | None:
    """What a SELECT makes of the rows (`{rows}`) of a kind of requests, for these columns of a table."""
    if native is None:
        return None
    structure = ", ".join(f"{name} {type_}" for name, type_ in native.columns_of(kind))
    return BlockOfRows(structure, partial(_write, kind), select, into)


def _write(kind: str, segment: Path, room: Callable[[int], memoryview]) -> tuple[int, int] | None:
    if native is None or not 0 < segment.stat().st_size <= _MOST_BYTES:
        return None
    with segment.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=_FLAGS) as whole:
        return native.write_rows(kind, whole, room)


_FLAGS = mmap.MAP_PRIVATE | getattr(mmap, "MAP_POPULATE", 0)
