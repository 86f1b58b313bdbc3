"""How the control plane's database is opened: the one place that says so, for all rooms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from pilothouse.control.encrypting import encrypted
from pilothouse.control.migrating import migrate, version

# Readers beside a writer; every commit on the disk before it is answered for; and waiting for another writer instead of
# failing at once: several stores, and several processes, write to one file.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000")
# The driver that comes with `pilothouse[postgres]`, where the address does not name one.
_POSTGRESQL = "postgresql+pg8000://"


def open_database(url: str) -> Engine:
    """The database in its newest form. `url` as SQLAlchemy writes it: `sqlite:///path`, `postgresql://host/database`.

    `sslmode` and `sslrootcert` are read as libpq does.

    Raises `SchemaError` for a database of a newer Pilothouse, SQLAlchemy's errors and `OSError` where it cannot be
    opened.
    """
    url = address(url)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    # A server that was restarted leaves connections behind that are dead; SQLite has none.
    plain, more = encrypted(url)
    database = create_engine(plain, pool_pre_ping=not url.startswith("sqlite"), connect_args=more)
    if database.dialect.name == "sqlite":
        event.listen(database, "connect", _careful)
    try:
        migrate(database)
    except BaseException:
        database.dispose()
        raise
    return database


def address(url: str) -> str:
    """The URL with the driver that we bring, where it names none."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return _POSTGRESQL + url.removeprefix(scheme)
    return url


def look(url: str, seconds: float = 5) -> int:
    """The form of a server's database, which is left as it is; 0 for a new one. Raises as `open_database` does."""
    url = address(url)
    plain, more = encrypted(url)
    if url.startswith(_POSTGRESQL):
        more = {**more, "timeout": seconds}
    database = create_engine(plain, connect_args=more)
    try:
        with database.connect() as connection:
            return version(connection)
    finally:
        database.dispose()


def reason(error: Exception) -> str:
    """What went wrong, in one line, as the database's server or its driver says it."""
    said = error.orig.args[0] if isinstance(error, DBAPIError) and error.orig and error.orig.args else error
    # PostgreSQL's own messages come by the letters of its protocol: M is the one for people.
    return str(said.get("M", said) if isinstance(said, dict) else said)


def _careful(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
