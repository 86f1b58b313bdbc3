"""The marks that were set."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Engine, String, Table, Text, select

from pilothouse.releases.mark import MADE_OF, Mark
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
    Column("forge", String(63), nullable=False, server_default=""),
    Column("repository", String(255), nullable=False, server_default=""),
    # Numbers, as JSON.
    Column("pulls", Text, nullable=False, server_default="[]"),
    Column("run", String(255), nullable=False, server_default=""),
    Column("tag", String(255), nullable=False, server_default=""),
)
_FIELDS = tuple(column for column in _marks.c if column.name != "id")
_MOST = 10_000


class MarkStore:
    """Keeps marks. The same mark set again (a pipeline that is retried) replaces the first."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def keep(self, mark: Mark) -> None:
        """Keep one mark; of a service's version in an environment there is one a kind, the last that was set.

        What a version was made of stays known when somebody marks it again who does not know that.
        """
        same = (
            (_marks.c.service == mark.service)
            & (_marks.c.version == mark.version)
            & (_marks.c.environment == mark.environment)
            & (_marks.c.kind == mark.kind)
        )
        if mark.kind != "release":
            # The same version can be configured anew any number of times.
            same &= _marks.c.at == mark.at
        if not mark.repository and (made := self.made(mark.service, mark.version)):
            mark = replace(mark, **{name: getattr(made, name) for name in MADE_OF})
        with self._database.begin() as connection:
            connection.execute(_marks.delete().where(same))
            connection.execute(_marks.insert().values(**asdict(mark) | {"pulls": json.dumps(mark.pulls)}))

    def made(self, service: str, version: str) -> Mark | None:
        """The mark that says what a version of a service was made of, or None."""
        of = (_marks.c.service == service, _marks.c.version == version, _marks.c.repository != "")
        with self._database.connect() as connection:
            row = connection.execute(select(*_FIELDS).where(*of).order_by(_marks.c.at.desc())).mappings().first()
        return _mark(row) if row is not None else None

    def all(self, service: str = "", within: TimeRange | None = None) -> list[Mark]:
        """Marks, newest first; of one service and within a time range if given."""
        asked = select(*_FIELDS).order_by(_marks.c.at.desc())
        if service:
            asked = asked.where(_marks.c.service == service)
        if within is not None:
            asked = asked.where(_marks.c.at >= within.start, _marks.c.at < within.end)
        with self._database.connect() as connection:
            rows = connection.execute(asked.limit(_MOST)).mappings()
            return [_mark(row) for row in rows]


def _mark(row: Any) -> Mark:
    return Mark(**dict(row) | {"pulls": tuple(json.loads(row["pulls"]))})
