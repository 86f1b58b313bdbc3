"""The control plane's database, opened for tokens and acts."""

from __future__ import annotations

from sqlalchemy import Engine

from pilothouse.releases.store.opening import open_database
from pilothouse.server.access.tables import metadata


def open_access(url: str) -> Engine:
    """The database with the tables of access made; SQLite waits for another writer instead of failing at once."""
    return open_database(url, metadata)
