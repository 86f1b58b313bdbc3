"""One database, and what releases keep in it."""

from __future__ import annotations

from pilothouse.control.opening import open_database
from pilothouse.releases.store.marks import MarkStore
from pilothouse.releases.store.rollouts import RolloutStore
from pilothouse.releases.store.slos import SloStore
from pilothouse.releases.store.verdicts import VerdictStore


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
