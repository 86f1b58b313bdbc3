"""One database, and the stores that share it."""

from __future__ import annotations

from sqlalchemy import Engine, MetaData, create_engine, event

from pilothouse.releases.store.marks import MarkStore
from pilothouse.releases.store.rollouts import RolloutStore
from pilothouse.releases.store.slos import SloStore
from pilothouse.releases.store.tables import metadata
from pilothouse.releases.store.verdicts import VerdictStore

_BUSY_MILLISECONDS = 10_000


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
    """The database with these tables made; SQLite waits for another writer instead of failing at once."""
    database = create_engine(url)
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def patient(connection: object, _: object) -> None:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")  # type: ignore[attr-defined]

    tables.create_all(database)
    return database
