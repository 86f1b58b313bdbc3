"""Opening the control plane's database for delivery's tables: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event


def open_database(url: str, tables: MetaData) -> Engine:
    """The database with these tables made. Raises SQLAlchemy's errors and `OSError` where it cannot be opened.

    SQLite: several processes at once, and every commit on the disk before it is answered for.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = create_engine(url)
    if database.dialect.name == "sqlite":
        event.listen(database, "connect", _careful)
    tables.create_all(database)
    return database


def _careful(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
