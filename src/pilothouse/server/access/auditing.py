"""The record of acts: who changed what, when, from where, and how it went. Only ever added to."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, select

from pilothouse.server.access.tables import acts
from pilothouse.signals.timerange import to_rfc3339

_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class Act:
    """One request that changed something or was not allowed to, `at` nanoseconds since the epoch."""

    at: int
    caller: str
    tenant: str
    address: str
    method: str
    path: str
    status: int

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        return asdict(self) | {"at": to_rfc3339(self.at)}


class AuditLog:
    """The acts in the control-plane database. May be used from any thread."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def note(self, caller: str, tenant: str, address: str, method: str, path: str, status: int) -> None:
        """Write one down; a query string is not kept, since people put secrets there."""
        row = {
            "at": time.time_ns(), "caller": caller[:255], "tenant": tenant[:64], "address": address[:64],
            "method": method[:16], "path": path[:_LONGEST_PATH], "status": status,
        }  # fmt: skip
        with self._database.begin() as connection:
            connection.execute(acts.insert().values(**row))

    def latest(self, tenant: str = "", limit: int = 100) -> list[Act]:
        """The newest first; of one tenant when it is named."""
        asked = select(*(column for column in acts.c if column.name != "id")).order_by(acts.c.id.desc()).limit(limit)
        if tenant:
            asked = asked.where(acts.c.tenant == tenant)
        with self._database.connect() as connection:
            return [Act(**row) for row in connection.execute(asked).mappings()]
