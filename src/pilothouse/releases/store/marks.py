"""The marks that were set."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Engine, String, Table, Text, select

from pilothouse.releases.mark import Mark
from pilothouse.releases.store.tables import metadata, number

if TYPE_CHECKING:
    from pilothouse.signals.timerange import TimeRange

_marks = Table(
    "release_marks",
    metadata,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False, index=True),
    Column("version", String(255), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("commit", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("note", Text, nullable=False),
)
_MOST = 10_000


class MarkStore:
    """Keeps marks. The same mark set again (a pipeline that is retried) replaces the first."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def keep(self, mark: Mark) -> None:
        """Keep one mark; of a service's version in an environment there is one a kind, the last that was set."""
        same = (
            (_marks.c.service == mark.service)
            & (_marks.c.version == mark.version)
            & (_marks.c.environment == mark.environment)
            & (_marks.c.kind == mark.kind)
        )
        if mark.kind != "release":
            # The same version can be configured anew any number of times.
            same &= _marks.c.at == mark.at
        with self._database.begin() as connection:
            connection.execute(_marks.delete().where(same))
            connection.execute(_marks.insert().values(**asdict(mark)))

    def all(self, service: str = "", within: TimeRange | None = None) -> list[Mark]:
        """Marks, newest first; of one service and within a time range if given."""
        asked = select(*(column for column in _marks.c if column.name != "id")).order_by(_marks.c.at.desc())
        if service:
            asked = asked.where(_marks.c.service == service)
        if within is not None:
            asked = asked.where(_marks.c.at >= within.start, _marks.c.at < within.end)
        with self._database.connect() as connection:
            return [Mark(**row) for row in connection.execute(asked.limit(_MOST)).mappings()]
