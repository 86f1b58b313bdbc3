"""The engine's nouns: what a query may cost, how a segment becomes rows, and the interface itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

Parameter = str | int | float | bool | list[str] | list[int] | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one query may take.

    `name` lets it be cancelled with `Engine.cancel(name)`; zero in `read_bytes` means no limit. What a query with
    `cached` reads stays decompressed in memory for the next one, as far as there is room.
    """

    seconds: float = 30.0
    memory_bytes: int = 1_000_000_000
    threads: int = 2
    read_bytes: int = 0
    name: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class BlockOfRows:
    """A shorter way from a segment to rows: somebody else reads it, and the engine gets columns.

    `write(segment, room)` writes them as one block in ClickHouse's Native form into what `room(size)` gives, and
    returns its size and the least time in it (milliseconds; 0 where nobody asks for it); None when the segment holds
    what the engine had better read itself. `structure` are their names and types, `select` is a SELECT with the place
    `{rows}` where they come from, for the table's columns `into`.
    """

    structure: str
    write: Callable[[Path, Callable[[int], memoryview]], tuple[int, int] | None]
    select: str
    into: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SegmentStatement:
    """How one table is filled from a segment of concatenated protobuf messages.

    `select` is a SELECT with the place `{segment}` where the rows come from. `structure` is that source's
    ClickHouse structure, `schema` the .proto text it is read with, `message` the message's name in it. `forget` is
    run before a segment is stored that may have been stored in part: it takes back what would leave its rows out.
    With `block`, an engine in this process need not parse most segments; the rows are the same either way.
    """

    table: str
    columns: tuple[str, ...]
    select: str
    structure: str
    schema: str
    message: str
    forget: str = ""
    block: BlockOfRows | None = None


class Engine(Protocol):
    """A ClickHouse, wherever it runs. All methods may be called from any thread and block the caller."""

    def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> pa.Table:
        """The whole answer. `{name:Type}` in `sql` is bound from `parameters`."""

    def stream(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, budget: Budget | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The answer in batches as the engine makes them; closing the iterator cancels the rest."""

    def command(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """A statement without an answer (DDL, ALTER, DELETE)."""

    def store_segment(self, statement: SegmentStatement, segment: Path, token: str) -> None:
        """Fill one table from a segment, once for each `token` however often it is called.

        What a path holds never changes: what was read of it for one table may serve for the next.
        """

    def writes(self, table: str) -> int | None:
        """A number that changes when a table may have got rows; None where others write to it too."""

    def oldest_since(self, table: str, writes: int) -> int | None:
        """The least time, in milliseconds, of the rows that a table got since `writes` was its number.

        Later than any time when it got none; None where that is not known.
        """

    def cancel(self, name: str) -> None:
        """Stop the running query whose budget has this name; nothing happens if there is none."""

    def close(self) -> None:
        """Finish what runs and let go of the store."""
