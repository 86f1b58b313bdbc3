"""The previews, in the control plane's database: one for each pull request."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, UniqueConstraint, select

from pilothouse.control.opening import open_database
from pilothouse.delivery.previews.preview import LIVE, Preview
from pilothouse.releases.store.tables import number

_METADATA = MetaData()
_PREVIEWS = Table(
    "delivery_previews",
    _METADATA,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("place", String(255), nullable=False),
    Column("how", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("forge", String(63), nullable=False),
    UniqueConstraint("forge", "repository", "number"),
)


class PreviewStore:
    """Keeps previews. May be used from any thread."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it."""
        self._database = open_database(url)

    def close(self) -> None:
        """Let go of the database."""
        self._database.dispose()

    def ask(self, repository: str, pull: int, commit: str, forge: str = "local") -> Preview:
        """A preview of this commit is wanted: a new one, or the pull request's own with another commit."""
        known = self.of_pull(repository, pull, forge)
        if known is not None:
            return self.keep(replace(known, commit=commit, state="asked", reason="", started=0.0, expires=0.0))
        row = asdict(Preview(0, repository, pull, commit, updated=time.time(), forge=forge))
        del row["id"]
        with self._database.begin() as connection:
            connection.execute(_PREVIEWS.insert().values(**row))
        made = self.of_pull(repository, pull, forge)
        assert made is not None
        return made

    def keep(self, preview: Preview) -> Preview:
        """Write it as it is now."""
        kept = replace(preview, updated=time.time())
        row = asdict(kept)
        del row["id"]
        with self._database.begin() as connection:
            connection.execute(_PREVIEWS.update().where(_PREVIEWS.c.id == preview.id).values(**row))
        return kept

    def one(self, key: int) -> Preview | None:
        """A preview, or None."""
        return next(iter(self._all(_PREVIEWS.c.id == key)), None)

    def of_pull(self, repository: str, pull: int, forge: str = "local") -> Preview | None:
        """The preview of a pull request, or None."""
        of = (_PREVIEWS.c.forge == forge, _PREVIEWS.c.repository == repository, _PREVIEWS.c.number == pull)
        return next(iter(self._all(*of)), None)

    def all(self, repository: str = "", live: bool = False, limit: int = 1000) -> list[Preview]:
        """Previews, newest first."""
        conditions: list[Any] = [_PREVIEWS.c.repository == repository] if repository else []
        if live:
            conditions.append(_PREVIEWS.c.state.in_(LIVE))
        return self._all(*conditions, limit=limit)

    def _all(self, *conditions: Any, limit: int = 1) -> list[Preview]:
        asked = select(_PREVIEWS).where(*conditions).order_by(_PREVIEWS.c.updated.desc()).limit(limit)
        with self._database.connect() as connection:
            return [Preview(**row) for row in connection.execute(asked).mappings()]
