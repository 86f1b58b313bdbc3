"""The commits that are to be released, in the control plane's database: a restart forgets none."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sqlalchemy import Column, Engine, Float, MetaData, String, Table, Text, exc, select

from pilothouse.control.opening import open_database
from pilothouse.signals.timerange import to_rfc3339

State = Literal["waiting", "released", "refused"]
_METADATA = MetaData()
_PENDING = Table(
    "delivery_released_commits",
    _METADATA,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("commit", String(64), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("version", String(255), nullable=False),
    Column("run", String(255), nullable=False),
    Column("asked", Float, nullable=False),
    Column("updated", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Pending:
    """One commit of a default branch: it waits, or was `released` as `version`, or `refused` with a reason.

    `run` is the pipeline run that tested it, when there was one.
    """

    repository: str
    commit: str
    state: State = "waiting"
    reason: str = ""
    version: str = ""
    run: str = ""
    asked: float = 0.0
    updated: float = 0.0
    forge: str = "local"

    def to_json(self) -> dict[str, Any]:
        """As `/api/delivery/releases` answers it."""
        times = {"asked": to_rfc3339(int(self.asked * 1e9)), "updated": to_rfc3339(int(self.updated * 1e9))}
        return asdict(self) | times


class PendingStore:
    """Keeps them. May be used from any thread."""

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

    def ask(self, repository: str, commit: str, forge: str = "local") -> None:
        """A commit has come to a default branch; asked for twice, it is once."""
        if self.one(repository, commit, forge) is None:
            now = time.time()
            row = asdict(Pending(repository, commit, asked=now, updated=now, forge=forge))
            # Another process may have heard of it at the same time.
            with suppress(exc.IntegrityError), self._database.begin() as connection:
                connection.execute(_PENDING.insert().values(**row))

    def keep(self, pending: Pending) -> Pending:
        """Write it as it is now."""
        kept = replace(pending, updated=time.time())
        same = _is(kept.repository, kept.commit, kept.forge)
        with self._database.begin() as connection:
            connection.execute(_PENDING.update().where(*same).values(**asdict(kept)))
        return kept

    def one(self, repository: str, commit: str, forge: str = "local") -> Pending | None:
        """A commit, or None."""
        found = self._all(*_is(repository, commit, forge), limit=1)
        return found[0] if found else None

    def released(self, version: str) -> list[Pending]:
        """Those that were released as a version, newest first."""
        return self._all(_PENDING.c.state == "released", _PENDING.c.version == version, limit=10)

    def waiting(self) -> list[Pending]:
        """Those that are not decided, oldest first."""
        return self._all(_PENDING.c.state == "waiting", limit=1000)[::-1]

    def all(self, repository: str = "", limit: int = 100) -> list[Pending]:
        """All, newest first."""
        return self._all(*([_PENDING.c.repository == repository] if repository else []), limit=limit)

    def _all(self, *conditions: Any, limit: int) -> list[Pending]:
        asked = select(_PENDING).where(*conditions).order_by(_PENDING.c.asked.desc()).limit(limit)
        with self._database.connect() as connection:
            return [Pending(**row) for row in connection.execute(asked).mappings()]


def _is(repository: str, commit: str, forge: str) -> tuple[Any, ...]:
    return _PENDING.c.forge == forge, _PENDING.c.repository == repository, _PENDING.c.commit == commit
