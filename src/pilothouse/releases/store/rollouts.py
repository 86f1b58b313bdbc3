"""The rollouts and all that happened to them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal, cast

from sqlalchemy import Column, Connection, Engine, Float, Integer, Row, String, Table, Text, select

from pilothouse.releases.rollout.plan import Plan
from pilothouse.releases.rollout.run import OPEN, Event, Run
from pilothouse.releases.store.tables import metadata, number
from pilothouse.signals.sentences import from_parts, parts_of

_rollouts = Table(
    "rollouts",
    metadata,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False, index=True),
    Column("state", String(16), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("started", Float, nullable=False),
    Column("plan", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("owner", String(64), nullable=False, default=""),
    Column("owned_until", Float, nullable=False, default=0.0),
)
_events = Table(
    "rollout_events",
    metadata,
    Column("id", number(), primary_key=True, autoincrement=True),
    Column("rollout", number(), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("evidence", Text, nullable=False),
)
# What a run is besides its own columns, in one text: its shape may grow without a migration.
_IN_TEXT = (
    "step", "phase", "attempt", "since", "asked", "weight", "ended", "reason", "misses", "verdict", "comparison",
    "served", "counted", "resumed", "looks", "late_looks",
)  # fmt: skip


class ConflictError(Exception):
    """Somebody else changed the rollout since it was read."""


# Beside an event's evidence, and beside what is text of a rollout, are kept the parts that its words were made of.
_SAID = "said"


class RolloutStore:
    """Keeps rollouts; every change and what led to it are written at once, or not at all."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def start(self, plan: Plan, now: float, event: Event) -> Run:
        """A new rollout. Raises `ConflictError` when the service has an open one."""
        run = Run(0, plan, "running", 0, "entering", 0, now, 0.0, now, 1)
        with self._database.begin() as connection:
            _locked(connection)
            open_ones = select(_rollouts.c.id).where(_rollouts.c.service == plan.service, _rollouts.c.state.in_(OPEN))
            if (known := connection.execute(open_ones).scalar()) is not None:
                raise ConflictError(f"{plan.service} is being rolled out already: rollout {known}")
            row = {"service": plan.service, "plan": json.dumps(plan.to_json()), "started": now} | _changing(run)
            made = connection.execute(_rollouts.insert().values(**row, owner="", owned_until=0.0))
            key = int(made.inserted_primary_key[0])  # type: ignore[index]
            _noted(connection, key, event)
        return replace(run, id=key)

    def change(self, run: Run, *events: Event) -> Run:
        """Write a run as it is now, with what happened; returns it with its new revision.

        Raises `ConflictError` when it was changed since it was read.
        """
        changed = replace(run, revision=run.revision + 1)
        with self._database.begin() as connection:
            same = (_rollouts.c.id == run.id) & (_rollouts.c.revision == run.revision)
            if connection.execute(_rollouts.update().where(same).values(**_changing(changed))).rowcount != 1:
                raise ConflictError(f"rollout {run.id} was changed by somebody else; look at it again")
            for event in events:
                _noted(connection, run.id, event)
        return changed

    def claim(self, key: int, owner: str, now: float, seconds: float) -> bool:
        """Whether this process may drive the rollout for so long: one at a time does."""
        free = (_rollouts.c.owner == owner) | (_rollouts.c.owned_until < now)
        with self._database.begin() as connection:
            claimed = connection.execute(
                _rollouts.update().where((_rollouts.c.id == key) & free).values(owner=owner, owned_until=now + seconds)
            )
        return claimed.rowcount == 1

    def one(self, key: int) -> Run | None:
        """A rollout, or None."""
        with self._database.connect() as connection:
            row = connection.execute(select(_rollouts).where(_rollouts.c.id == key)).one_or_none()
        return _run(row) if row is not None else None

    def all(self, service: str = "", open_only: bool = False, limit: int = 100) -> list[Run]:
        """Rollouts, newest first."""
        asked = select(_rollouts).order_by(_rollouts.c.id.desc()).limit(limit)
        if service:
            asked = asked.where(_rollouts.c.service == service)
        if open_only:
            asked = asked.where(_rollouts.c.state.in_(OPEN))
        with self._database.connect() as connection:
            return [_run(row) for row in connection.execute(asked)]

    def events(self, key: int) -> list[Event]:
        """What happened, oldest first."""
        asked = select(_events).where(_events.c.rollout == key).order_by(_events.c.id)
        with self._database.connect() as connection:
            return [_event(row) for row in connection.execute(asked)]


def _event(row: Row[Any]) -> Event:
    evidence = json.loads(row.evidence)
    said = evidence.pop(_SAID, None)
    return Event(row.at, row.step, row.kind, row.words, row.by, evidence, said)


def _locked(connection: Connection) -> None:
    # Two starts at once must not both find nothing: SQLite's transactions are serial only from the first write on.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("UPDATE rollouts SET revision = revision WHERE id = -1")
    else:
        connection.exec_driver_sql("LOCK TABLE rollouts IN SHARE ROW EXCLUSIVE MODE")


def _changing(run: Run) -> dict[str, Any]:
    text = json.dumps({name: getattr(run, name) for name in _IN_TEXT} | {_SAID: parts_of(run.reason)})
    return {"state": run.state, "revision": run.revision, "at": text}


def _noted(connection: Connection, key: int, event: Event) -> None:
    said = parts_of(event.words)
    evidence = event.evidence | {_SAID: said} if said else event.evidence
    row = {
        "rollout": key, "at": event.at, "step": event.step, "kind": event.kind, "words": event.words, "by": event.by,
        "evidence": json.dumps(evidence),
    }  # fmt: skip
    connection.execute(_events.insert().values(**row))


def _run(row: Row[Any]) -> Run:
    state = cast("Literal['running', 'paused', 'rolling_back', 'rolled_back', 'succeeded']", row.state)
    plan = Plan.from_json(json.loads(row.plan))
    kept = json.loads(row.at)
    if (said := kept.pop(_SAID, None)) is not None:
        kept["reason"] = from_parts(said)
    return Run(id=row.id, plan=plan, state=state, revision=row.revision, started=row.started, **kept)
