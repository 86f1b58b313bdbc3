"""One database, and the stores that share it.

How the control plane's database is opened is decided here for all rooms: releases, access, pipelines, delivery.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, text

from pilothouse.releases.store.marks import MarkStore
from pilothouse.releases.store.rollouts import RolloutStore
from pilothouse.releases.store.slos import SloStore
from pilothouse.releases.store.tables import metadata
from pilothouse.releases.store.verdicts import VerdictStore

# Readers beside a writer, every commit on the disk before it is answered for, and waiting for another writer instead of
# failing at once: several stores, and several processes, write to one file.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000")
# Two processes that make the same tables at the same time fail on PostgreSQL; any number that nobody else locks.
_POSTGRESQL_LOCK = 7_041_776


class ReleaseStore:
    """All that releases remember. May be used from any thread."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it: `sqlite:///path/control.db`, `postgresql+psycopg://host/database`."""
        self._database = open_database(url)
        self.marks = MarkStore(self._database)
        self.rollouts = RolloutStore(self._database)
        self.slos = SloStore(self._database)
        self.verdicts = VerdictStore(self._database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.dispose()


def open_database(url: str, tables: MetaData = metadata) -> Engine:
    """The database with these tables made, and columns added that an older version did not have.

    Raises SQLAlchemy's errors and `OSError` where it cannot be opened.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = create_engine(url)
    if database.dialect.name == "sqlite":
        event.listen(database, "connect", _careful)
    if not tables.tables:
        return database
    try:
        with database.begin() as connection:
            _lock(connection)
            known = set(inspect(connection).get_table_names())
            tables.create_all(connection)
            for table in tables.sorted_tables:
                if table.name in known:
                    _complete(connection, table)
    except BaseException:
        database.dispose()
        raise
    return database


def _careful(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})


def _complete(connection: Connection, table: Any) -> None:
    """Add the columns that a table does not have yet: those that say what older rows hold (`server_default`)."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    quoted = connection.dialect.identifier_preparer
    for column in table.columns:
        if column.name not in there and column.server_default is not None:
            kind = column.type.compile(connection.dialect)
            default = column.server_default.arg
            connection.exec_driver_sql(
                f"ALTER TABLE {quoted.format_table(table)} ADD COLUMN {quoted.format_column(column)} {kind} "
                f"NOT NULL DEFAULT '{default}'"
            )
