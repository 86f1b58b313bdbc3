"""The line that a comment of the built-in forge is on."""

from __future__ import annotations

from sqlalchemy import Connection, text


def upgrade(connection: Connection) -> None:
    """Two columns; the comments that are there are on no line."""
    connection.execute(text("ALTER TABLE forge_comments ADD COLUMN path TEXT NOT NULL DEFAULT ''"))
    connection.execute(text("ALTER TABLE forge_comments ADD COLUMN line INTEGER NOT NULL DEFAULT 0"))
