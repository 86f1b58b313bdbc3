"""What a look at a repository saw, small enough to be kept, and the table that keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, Text, select

if TYPE_CHECKING:
    from pydantic import TypeAdapter

TABLES = MetaData()
_SEEN = Table(
    "delivery_polled",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("at", Float, nullable=False),
    Column("seen", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class SeenPull:
    """One open pull request; `comments` by their ids with a hash of their words, `reviews` by their ids."""

    number: int
    head: str
    base: str
    title: str
    body: str
    draft: bool
    updated: float
    labels: frozenset[str] = frozenset()
    assignees: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()
    milestone: str = ""
    comments: dict[str, str] = field(default_factory=dict)
    reviews: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SeenRepository:
    """One repository: its open pull requests, branches and tags."""

    pulls: dict[int, SeenPull] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class SeenStore:
    """Keeps what was seen last, so that nothing is missed while no process looks."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def last(self, forge: str, repository: str) -> SeenRepository | None:
        """What was seen last; None before the first look."""
        asked = select(_SEEN.c.seen).where(_SEEN.c.forge == forge, _SEEN.c.repository == repository)
        with self._database.connect() as connection:
            text = connection.execute(asked).scalar()
        return _adapter().validate_json(text) if text else None

    def keep(self, forge: str, repository: str, seen: SeenRepository, at: float) -> None:
        """Remember a look."""
        here = (_SEEN.c.forge == forge) & (_SEEN.c.repository == repository)
        text = _adapter().dump_json(seen).decode()
        with self._database.begin() as connection:
            connection.execute(_SEEN.delete().where(here))
            connection.execute(_SEEN.insert().values(forge=forge, repository=repository, at=at, seen=text))


@cache
def _adapter() -> TypeAdapter[SeenRepository]:
    from pydantic import TypeAdapter

    return TypeAdapter(SeenRepository)
