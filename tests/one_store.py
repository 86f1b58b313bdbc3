"""One embedded store for all tests of a process that ask for an empty one: to make one takes a third of a CPU-second.

What a test stored is taken out after it; a store whose tables a test changed is not used again. Of embedded stores
only one can be open in a process, so this one is closed while a test opens another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from pilothouse.engine import Engine, embedded, open_engine

EmptyStore = Callable[[], AbstractContextManager[Engine]]

_TABLES = """
SELECT database, name, engine, create_table_query AS made, coalesce(total_rows, 0) AS rows FROM system.tables
WHERE lower(database) NOT IN ('system', 'information_schema') ORDER BY database, name
"""


class OneStore:
    """Hands out the store, empty, to one test after the other."""

    def __init__(self, directory: Path) -> None:
        self._directories = (directory / str(number) for number in count())
        self._directory = next(self._directories)
        self._open: Engine | None = None
        self._tables: list[tuple[Any, ...]] = []

    @contextmanager
    def empty(self) -> Iterator[Engine]:
        """An engine of the test's own on the store, which it may close."""
        if self._open is None:
            self._open = open_engine(self._directory)
            self._tables = _schema(self._open.query(_TABLES).to_pylist())
        engine = open_engine(self._directory)
        try:
            yield engine
        finally:
            engine.close()
            self._clear()

    def make_way(self, directory: Path) -> None:
        """Close the store, if it is not the one in `directory`."""
        if directory != self._directory and self._open:
            self._open.close()
            self._open = None

    def _clear(self) -> None:
        if self._open is None:
            return
        tables = self._open.query(_TABLES).to_pylist()
        if _schema(tables) != self._tables:
            self._open.close()
            self._open, self._directory = None, next(self._directories)
            return
        for table in tables:
            if table["rows"] and table["name"] != "schema_migrations":
                self._open.command(f"TRUNCATE TABLE {table['name']}")


def _schema(tables: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What must be as it was: all tables, and which migrations made them."""
    steps = [(table["rows"],) for table in tables if table["name"] == "schema_migrations"]
    return [*((table["database"], table["name"], table["engine"], table["made"]) for table in tables), *steps]


@contextmanager
def one_store(directory: Path) -> Iterator[OneStore]:
    """The store of this process, which makes way to every other that is opened."""
    store, opened = OneStore(directory), embedded.EmbeddedEngine.__init__

    def begin(self: embedded.EmbeddedEngine, directory: Path, *given: Any, **named: Any) -> None:
        store.make_way(directory)
        opened(self, directory, *given, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embedded.EmbeddedEngine, "__init__", begin)
        yield store
    store.make_way(Path())
