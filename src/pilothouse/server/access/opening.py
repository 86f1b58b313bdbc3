"""The control plane's database, opened for tokens and acts."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, event

from pilothouse.server.access.tables import metadata

_BUSY_MILLISECONDS = 10_000


def open_access(url: str) -> Engine:
    """The database with the tables of access made; SQLite waits for another writer instead of failing at once."""
    database = create_engine(url)
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def patient(connection: object, _: object) -> None:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")  # type: ignore[attr-defined]

    metadata.create_all(database)
    return database
