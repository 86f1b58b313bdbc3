"""What was decided, done and run is kept here. May be used from any thread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, exc, func, select

from pilothouse.control.claiming import Claim
from pilothouse.control.opening import open_database
from pilothouse.delivery.acting import effects_json, pool_json
from pilothouse.delivery.acting.records import OPEN, KeptDecision, KeptJob, KeptPull, Nudge
from pilothouse.delivery.acting.tables import DECISIONS, EFFECTS, JOBS, NUDGES, POOLS, PULLS
from pilothouse.delivery.chat.effects import Effect

_HISTORY = 50
_MOST_NUDGES = 1_000


class LostError(Exception):
    """What this process was about to write is another's to write by now."""


class DeliveryStore:
    """All that delivery remembers besides events (`inbox`) and runs (`pipelines.state`)."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it. Raises SQLAlchemy's errors and `OSError` where it cannot be opened."""
        self.database = open_database(url)

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()

    # -- decisions

    def decided(self, forge: str, delivery: str) -> KeptDecision | None:
        """The decision on an event that was taken before, with what is still to be done."""
        asked = select(DECISIONS).where(DECISIONS.c.forge == forge, DECISIONS.c.delivery == delivery)
        with self.database.connect() as connection:
            row = connection.execute(asked).one_or_none()
            if row is None:
                return None
            effects = connection.execute(
                select(EFFECTS).where(EFFECTS.c.decision == row.id).order_by(EFFECTS.c.position)
            )
            return _decision(row, effects)

    def decide(self, decision: KeptDecision, effects: Sequence[Effect]) -> KeptDecision:
        """Write down what is to be done, before any of it is. When it was written already, that holds."""
        row = {
            "forge": decision.forge, "delivery": decision.delivery, "repository": decision.repository,
            "number": decision.number, "at": decision.at, "kind": decision.kind, "author": decision.author,
            "head": decision.head, "records": json.dumps(decision.records, ensure_ascii=False),
            "snapshot": decision.snapshot,
        }  # fmt: skip
        try:
            with self.database.begin() as connection:
                made = connection.execute(DECISIONS.insert().values(**row))
                key = int(made.inserted_primary_key[0])  # type: ignore[index]
                rows = [
                    {"decision": key, "position": position, "effect": effects_json.to_json(effect), "state": "planned",
                     "reason": ""}
                    for position, effect in enumerate(effects)
                ]  # fmt: skip
                if rows:
                    connection.execute(EFFECTS.insert(), rows)
        except exc.IntegrityError:
            pass
        found = self.decided(decision.forge, decision.delivery)
        assert found is not None
        return found

    def effect_done(self, decision: int, position: int, reason: str = "") -> None:
        """An effect was done; or, with a reason, cannot be done."""
        where = (EFFECTS.c.decision == decision) & (EFFECTS.c.position == position)
        state = "failed" if reason else "done"
        with self.database.begin() as connection:
            connection.execute(EFFECTS.update().where(where).values(state=state, reason=reason))

    def decisions(self, repository: str, number: int, limit: int = 50) -> list[KeptDecision]:
        """What was decided on a pull request, newest first."""
        asked = (
            select(DECISIONS).where(DECISIONS.c.repository == repository, DECISIONS.c.number == number)
            .order_by(DECISIONS.c.id.desc()).limit(limit)
        )  # fmt: skip
        with self.database.connect() as connection:
            rows = connection.execute(asked).all()
            found = connection.execute(
                select(EFFECTS).where(EFFECTS.c.decision.in_([row.id for row in rows])).order_by(EFFECTS.c.position)
            ).all()
        return [_decision(row, [one for one in found if one.decision == row.id]) for row in rows]

    def every_decision(self, repository: str = "", after: int = 0, limit: int = 200) -> list[KeptDecision]:
        """Decisions in the order in which they were taken, after one of them."""
        asked = select(DECISIONS).where(DECISIONS.c.id > after).order_by(DECISIONS.c.id).limit(limit)
        if repository:
            asked = asked.where(DECISIONS.c.repository == repository)
        with self.database.connect() as connection:
            rows = connection.execute(asked).all()
            found = connection.execute(
                select(EFFECTS).where(EFFECTS.c.decision.in_([row.id for row in rows])).order_by(EFFECTS.c.position)
            ).all()
        return [_decision(row, [one for one in found if one.decision == row.id]) for row in rows]

    # -- pull requests

    def pull(self, forge: str, repository: str, number: int) -> KeptPull | None:
        """What is known of a pull request."""
        asked = select(PULLS).where(*_is_pull(forge, repository, number))
        with self.database.connect() as connection:
            row = connection.execute(asked).one_or_none()
        return _pull(row) if row is not None else None

    def keep_pull(self, pull: KeptPull) -> None:
        """Write how it stands; whom it is trusted for stays as it is."""
        row = {**asdict(pull), "labels": json.dumps(pull.labels), "why": json.dumps(pull.why)}
        changed = {key: value for key, value in row.items() if key != "trusted_head"}
        with self.database.begin() as connection:
            same = _is_pull(pull.forge, pull.repository, pull.number)
            if connection.execute(PULLS.update().where(*same).values(**changed)).rowcount == 0:
                connection.execute(PULLS.insert().values(**row))

    def trust(self, forge: str, repository: str, number: int, commit: str) -> None:
        """The commit of a pull request that may be tested though its author is not known here; empty: none."""
        with self.database.begin() as connection:
            same = _is_pull(forge, repository, number)
            connection.execute(PULLS.update().where(*same).values(trusted_head=commit))

    def pulls(self, repository: str = "", state: str = "", limit: int = 200) -> list[KeptPull]:
        """Pull requests, the one that changed last first."""
        asked = select(PULLS).order_by(PULLS.c.updated.desc()).limit(limit)
        if repository:
            asked = asked.where(PULLS.c.repository == repository)
        if state:
            asked = asked.where(PULLS.c.state == state)
        with self.database.connect() as connection:
            return [_pull(row) for row in connection.execute(asked)]

    # -- jobs

    def start_job(self, job: KeptJob) -> bool:
        """Write a job down before it is started. False when it was before: it is started once."""
        try:
            with self.database.begin() as connection:
                connection.execute(JOBS.insert().values(**{**asdict(job), "given": json.dumps(job.given)}))
        except exc.IntegrityError:
            return False
        return True

    def change_job(self, uid: str, **changed: Any) -> None:
        """Write how a job stands."""
        with self.database.begin() as connection:
            connection.execute(JOBS.update().where(JOBS.c.uid == uid).values(**changed))

    def begin_job(self, uid: str) -> None:
        """A job that was about to start runs now; one that is over stays so."""
        with self.database.begin() as connection:
            connection.execute(
                JOBS.update().where(JOBS.c.uid == uid, JOBS.c.state == "starting").values(state="running")
            )

    def job(self, uid: str) -> KeptJob | None:
        """One job by the UID of its run."""
        with self.database.connect() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.uid == uid)).one_or_none()
        return _job(row) if row is not None else None

    def jobs(
        self, repository: str = "", number: int = 0, *, head: str = "", base: str = "", revision: str = "",
        unfinished: bool = False, job: str = "", limit: int = 200,
    ) -> list[KeptJob]:  # fmt: skip
        """Jobs, newest first."""
        asked = select(JOBS).order_by(JOBS.c.created.desc()).limit(limit)
        if repository:
            asked = asked.where(JOBS.c.repository == repository)
        if number:
            asked = asked.where(JOBS.c.number == number)
        if head:
            asked = asked.where(JOBS.c.head == head)
        if base:
            asked = asked.where(JOBS.c.base == base)
        if job:
            asked = asked.where(JOBS.c.job == job)
        if revision:
            asked = asked.where(JOBS.c.revision == revision)
        if unfinished:
            asked = asked.where(JOBS.c.state.in_(OPEN))
        with self.database.connect() as connection:
            return [_job(row) for row in connection.execute(asked)]

    def unreported(self) -> list[KeptJob]:
        """Jobs whose state the forge was not told yet."""
        with self.database.connect() as connection:
            return [_job(row) for row in connection.execute(select(JOBS).where(JOBS.c.state != JOBS.c.reported))]

    def last_runs(self, repository: str, kind: str) -> dict[str, tuple[float, float]]:
        """When each job of a kind was last started and finished."""
        asked = (
            select(JOBS.c.job, func.max(JOBS.c.created), func.max(JOBS.c.finished))
            .where(JOBS.c.repository == repository, JOBS.c.kind == kind).group_by(JOBS.c.job)
        )  # fmt: skip
        with self.database.connect() as connection:
            return {job: (float(created), float(finished)) for job, created, finished in connection.execute(asked)}

    # -- merge pools

    def pool(self, forge: str, repository: str, branch: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A branch's pool as it was last written, and what it did, oldest first."""
        asked = select(POOLS.c.pool, POOLS.c.history).where(*_is_pool(forge, repository, branch))
        with self.database.connect() as connection:
            row = connection.execute(asked).one_or_none()
        return (json.loads(row.pool), json.loads(row.history)) if row is not None else ({}, [])

    def keep_pool(
        self, forge: str, repository: str, branch: str, pool: dict[str, Any], done: Iterable[dict[str, Any]],
        now: float, claim: Claim | None = None,
    ) -> None:  # fmt: skip
        """Write a pool, and what it did since it was last written. Raises `LostError` when `claim` is another's now."""
        with self.database.begin() as connection:
            same = _is_pool(forge, repository, branch)
            before = connection.execute(select(POOLS.c.history).where(*same)).scalar()
            history = [*(json.loads(before) if before else []), *done][-_HISTORY:]
            row = {"pool": json.dumps(pool), "history": json.dumps(history, ensure_ascii=False), "updated": now}
            if before is not None:
                connection.execute(POOLS.update().where(*same).values(**row))
            else:
                key = {"forge": forge, "repository": repository, "branch": branch}
                connection.execute(POOLS.insert().values(**row, **key))
            if claim is not None and not claim.guards(connection):
                raise LostError(f"the pool of {branch} in {repository} is driven by another process now")

    def pools(self, *, waiting: bool = False) -> list[tuple[str, str, str]]:
        """The branches that have a pool: forge, repository, branch; with `waiting` those that something goes on in."""
        with self.database.connect() as connection:
            found = connection.execute(select(POOLS.c.forge, POOLS.c.repository, POOLS.c.branch, POOLS.c.pool))
            return [
                (str(row.forge), str(row.repository), str(row.branch)) for row in found
                if not waiting or pool_json.is_waiting(json.loads(row.pool))
            ]  # fmt: skip

    # -- between processes

    def nudge(self, forge: str, repository: str, branch: str, number: int, *, again: bool = False) -> None:
        """Ask whoever drives a branch's pool to look at a pull request, or at the branch (0)."""
        row = {"forge": forge, "repository": repository, "branch": branch, "number": number, "again": again}
        with self.database.begin() as connection:
            connection.execute(NUDGES.insert().values(**row))

    def nudges(self, forge: str) -> list[Nudge]:
        """What was asked and not done yet, oldest first."""
        asked = select(NUDGES).where(NUDGES.c.forge == forge).order_by(NUDGES.c.id).limit(_MOST_NUDGES)
        with self.database.connect() as connection:
            return [Nudge(**row._mapping) for row in connection.execute(asked)]

    def nudged(self, nudge: Nudge) -> None:
        """It was done."""
        with self.database.begin() as connection:
            connection.execute(NUDGES.delete().where(NUDGES.c.id == nudge.id))


def _is_pull(forge: str, repository: str, number: int) -> tuple[Any, ...]:
    return PULLS.c.forge == forge, PULLS.c.repository == repository, PULLS.c.number == number


def _is_pool(forge: str, repository: str, branch: str) -> tuple[Any, ...]:
    return POOLS.c.forge == forge, POOLS.c.repository == repository, POOLS.c.branch == branch


def _decision(row: Row[Any], effects: Iterable[Row[Any]]) -> KeptDecision:
    return KeptDecision(
        row.id, row.forge, row.delivery, row.repository, row.number, row.at, row.kind, row.author, row.head,
        tuple(json.loads(row.records)), tuple((one.effect, one.state, one.reason) for one in effects), row.snapshot,
    )  # fmt: skip


def _pull(row: Row[Any]) -> KeptPull:
    found = dict(row._mapping)
    return KeptPull(**found | {"labels": tuple(json.loads(row.labels)), "why": tuple(json.loads(row.why))})


def _job(row: Row[Any]) -> KeptJob:
    return KeptJob(**dict(row._mapping) | {"given": json.loads(row.given)})
