"""The promotions and all that happened to them, in the control plane's database."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Boolean, Column, Engine, Float, Integer, MetaData, String, Table, Text, select

from pilothouse.control.opening import open_database
from pilothouse.delivery.promoting.promotion import ONGOING, Happened, Promotion
from pilothouse.releases.store.rollouts import ConflictError
from pilothouse.releases.store.tables import number

_METADATA = MetaData()
_PROMOTIONS = Table(
    "promotions",
    _METADATA,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False, index=True),
    Column("version", String(255), nullable=False),
    Column("environment", String(63), nullable=False, index=True),
    Column("before", String(255), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("onward", Boolean, nullable=False),
    Column("repository", String(255), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("head", String(64), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("rollout", Integer, nullable=False),
    Column("reverts", Integer, nullable=False),
    Column("report", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("approved_by", String(255), nullable=False),
    Column("blocked", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("forge", String(63), nullable=False, server_default=""),
)
_HAPPENED = Table(
    "promotion_events",
    _METADATA,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("promotion", number(), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(255), nullable=False),
)


class PromotionStore:
    """Keeps promotions. May be used from any thread; a change and what led to it are written at once or not at all."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it."""
        self._database = open_database(url)

    @property
    def database(self) -> Engine:
        """Where it keeps them."""
        return self._database

    def close(self) -> None:
        """Let go of the database."""
        self._database.dispose()

    def add(self, promotion: Promotion, happened: Happened) -> Promotion:
        """A new one; returns it with its number."""
        now = time.time()
        made = replace(promotion, created=now, updated=now, revision=1)
        row = asdict(made)
        del row["id"]
        with self._database.begin() as connection:
            key = connection.execute(_PROMOTIONS.insert().values(**row)).inserted_primary_key
            found = int(key[0])  # type: ignore[index]
            connection.execute(_HAPPENED.insert().values(promotion=found, **asdict(happened)))
        return replace(made, id=found)

    def change(self, promotion: Promotion, *happened: Happened) -> Promotion:
        """Write it as it is now; returns it with its new revision. Raises `ConflictError` when it was changed since."""
        changed = replace(promotion, revision=promotion.revision + 1, updated=time.time())
        row = asdict(changed)
        del row["id"]
        same = (_PROMOTIONS.c.id == promotion.id) & (_PROMOTIONS.c.revision == promotion.revision)
        with self._database.begin() as connection:
            if connection.execute(_PROMOTIONS.update().where(same).values(**row)).rowcount != 1:
                raise ConflictError(f"promotion {promotion.id} was changed by somebody else; look at it again")
            for one in happened:
                connection.execute(_HAPPENED.insert().values(promotion=promotion.id, **asdict(one)))
        return changed

    def one(self, key: int) -> Promotion | None:
        """A promotion, or None."""
        found = self._all(_PROMOTIONS.c.id == key, limit=1)
        return found[0] if found else None

    def all(self, service: str = "", environment: str = "", ongoing: bool = False, limit: int = 100) -> list[Promotion]:
        """Promotions, newest first."""
        conditions: list[Any] = []
        if service:
            conditions.append(_PROMOTIONS.c.service == service)
        if environment:
            conditions.append(_PROMOTIONS.c.environment == environment)
        if ongoing:
            conditions.append(_PROMOTIONS.c.state.in_(ONGOING))
        return self._all(*conditions, limit=limit)

    def of_pull(self, repository: str, pull: int) -> Promotion | None:
        """The promotion that a pull request is of."""
        found = self._all(_PROMOTIONS.c.repository == repository, _PROMOTIONS.c.number == pull, limit=1)
        return found[0] if found else None

    def happened(self, key: int) -> list[Happened]:
        """What happened to one, oldest first."""
        asked = select(_HAPPENED).where(_HAPPENED.c.promotion == key).order_by(_HAPPENED.c.id)
        with self._database.connect() as connection:
            return [Happened(row.at, row.kind, row.words, row.by) for row in connection.execute(asked)]

    def _all(self, *conditions: Any, limit: int) -> list[Promotion]:
        asked = select(_PROMOTIONS).where(*conditions).order_by(_PROMOTIONS.c.id.desc()).limit(limit)
        with self._database.connect() as connection:
            return [Promotion(**row) for row in connection.execute(asked).mappings()]
