"""The objectives that were declared."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Column, Engine, String, Table, Text, select

from pilothouse.releases.slos.objective import Objective
from pilothouse.releases.store.tables import metadata, number

_slos = Table(
    "slos",
    metadata,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("objective", Text, nullable=False),
)


class SloStore:
    """Keeps objectives; of a service's objective of one name there is one, the last that was declared."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def keep(self, objectives: Sequence[Objective]) -> None:
        """Declare some, all at once."""
        with self._database.begin() as connection:
            for one in objectives:
                same = (_slos.c.service == one.service) & (_slos.c.name == one.name)
                connection.execute(_slos.delete().where(same))
                row = {"service": one.service, "name": one.name, "objective": json.dumps(one.to_json())}
                connection.execute(_slos.insert().values(**row))

    def all(self, service: str = "") -> list[Objective]:
        """Objectives by service and name."""
        asked = select(_slos.c.objective).order_by(_slos.c.service, _slos.c.name)
        if service:
            asked = asked.where(_slos.c.service == service)
        with self._database.connect() as connection:
            return [Objective.from_json(json.loads(text)) for text in connection.execute(asked).scalars()]

    def forget(self, service: str, name: str) -> bool:
        """Whether there was such an objective."""
        same = (_slos.c.service == service) & (_slos.c.name == name)
        with self._database.begin() as connection:
            return connection.execute(_slos.delete().where(same)).rowcount > 0
