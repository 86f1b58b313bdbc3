"""Runs kept in the control plane's database (SQLite by default, PostgreSQL by URL)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import exc, func, select, update

from pilothouse.control.opening import open_database
from pilothouse.control.owning import me
from pilothouse.delivery.pipelines import times
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.runs.request import PipelineRun
from pilothouse.delivery.pipelines.state.tables import BUNDLES, CACHE, RUNS, TASK_RUNS
from pilothouse.delivery.pipelines.state.writing import Writer, explained
from pilothouse.delivery.pipelines.tasks.request import TaskRun

_LISTED = [column for column in RUNS.c if column.name not in ("asked", "bundle", "object")]


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run as it is kept; times are nanoseconds since the epoch, 0 for not yet."""

    uid: str
    name: str
    namespace: str
    kind: str
    pipeline: str
    created: int
    started: int
    finished: int
    status: str
    reason: str
    message: str
    wanted: str
    owner: str
    concurrency: str
    trace: str

    @property
    def done(self) -> bool:
        return self.status != "Unknown"


class RunStore:
    """Keeps runs. Reading may be done from any thread; writing goes through one of its own."""

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy writes it. Raises `StateError` where it cannot be opened."""
        try:
            self._engine = open_database(url)
        except (exc.SQLAlchemyError, OSError) as error:
            raise explained(error) from None
        self._writer = Writer(self._engine)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
        self._engine.dispose()

    # -- while a run goes on

    async def asked(self, run: PipelineRun | TaskRun, documents: Iterable[Document], concurrency: str = "") -> None:
        """A new run, with all that it may refer to. Raises `StateError`."""
        text = json.dumps([[one.body, one.source] for one in documents], ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with self._reading() as connection:
            known = connection.execute(select(BUNDLES.c.hash).where(BUNDLES.c.hash == digest)).first()
        if not known:
            statement = _ignoring(self._engine.dialect.name)
            self._writer.put(statement, {"hash": digest, "documents": text})
        body = json.dumps(run.to_object(), ensure_ascii=False)
        await self._writer.written(
            RUNS.insert(),
            {
                "uid": run.uid,
                "name": run.name,
                "namespace": run.namespace,
                "kind": "PipelineRun" if isinstance(run, PipelineRun) else "TaskRun",
                "pipeline": _of(run),
                "created": times.now(),
                "started": 0,
                "finished": 0,
                "status": "Unknown",
                "reason": "Started",
                "message": "",
                "asked": body,
                "bundle": digest,
                "object": body,
                "wanted": "",
                "owner": me(),
                "concurrency": concurrency,
                "trace": run.trace,
            },
        )

    async def started(self, run: PipelineRun | TaskRun) -> None:
        """It runs now."""
        await self._writer.written(
            update(RUNS).where(RUNS.c.uid == run.uid),
            {"started": times.now(), "reason": "Running", "owner": me(), "trace": run.trace, "pipeline": _of(run)},
        )

    async def pending(self, run: PipelineRun | TaskRun) -> None:
        """It waits, and nobody runs it."""
        body = json.dumps(run.to_object(), ensure_ascii=False)
        row = {"reason": run.condition.reason, "message": run.condition.message, "object": body, "owner": ""}
        await self._writer.written(update(RUNS).where(RUNS.c.uid == run.uid), row)

    async def finished(self, run: PipelineRun | TaskRun) -> None:
        """It is over. Raises `StateError`."""
        found = run.condition
        await self._writer.written(
            update(RUNS).where(RUNS.c.uid == run.uid),
            {
                "finished": times.now(), "status": found.status, "reason": found.reason, "message": found.message,
                "object": json.dumps(run.to_object(), ensure_ascii=False), "owner": "", "pipeline": _of(run),
            },
        )  # fmt: skip

    async def task_started(self, run: TaskRun) -> None:
        """A TaskRun begins: on the disk before its first step may run."""
        await self._writer.written(_upsert(self._engine.dialect.name), _task_row(run, "Unknown", "Running"))

    def task_finished(self, run: TaskRun) -> None:
        """A TaskRun is over."""
        found = run.condition
        self._writer.put(_upsert(self._engine.dialect.name), _task_row(run, found.status, found.reason))

    def want(self, uid: str, how: str) -> None:
        """Ask the process that runs it to end it (`spec.status` of a PipelineRun)."""
        self._writer.put(update(RUNS).where(RUNS.c.uid == uid), {"wanted": how})
        self._writer.flush()

    def wanted(self, uids: Iterable[str]) -> dict[str, str]:
        """What is asked of some runs."""
        with self._reading() as connection:
            rows = connection.execute(
                select(RUNS.c.uid, RUNS.c.wanted).where(RUNS.c.uid.in_(list(uids)), RUNS.c.wanted != "")
            )
            return {row[0]: row[1] for row in rows}

    # -- asking

    def runs(
        self, pipeline: str = "", limit: int = 50, *, unfinished: bool = False, concurrency: str = "", value: str = ""
    ) -> list[KeptRun]:
        """Runs, newest first; with `value` only those where a parameter or result, also of a task, is this text."""
        query = select(*_LISTED).order_by(RUNS.c.created.desc(), RUNS.c.name).limit(limit)
        if pipeline:
            query = query.where(RUNS.c.pipeline == pipeline)
        if unfinished:
            query = query.where(RUNS.c.status == "Unknown")
        if concurrency:
            query = query.where(RUNS.c.concurrency == concurrency)
        if value:
            written = f'"value": {json.dumps(value, ensure_ascii=False)}'
            tasks = select(TASK_RUNS.c.run).where(TASK_RUNS.c.object.contains(written, autoescape=True))
            query = query.where(RUNS.c.object.contains(written, autoescape=True) | RUNS.c.uid.in_(tasks))
        with self._reading() as connection:
            return [KeptRun(**row) for row in connection.execute(query).mappings()]

    def find(self, name: str) -> KeptRun | None:
        """The newest run of that name, or the one with that UID."""
        query = (
            select(*_LISTED)
            .where((RUNS.c.name == name) | (RUNS.c.uid == name))
            .order_by(RUNS.c.created.desc())
            .limit(1)
        )
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
            return KeptRun(**row) if row else None

    def forget(self, uid: str) -> bool:
        """Keep nothing of a run; False for one that is not known or not over."""
        over = (RUNS.c.uid == uid) & (RUNS.c.status != "Unknown")
        with self._engine.begin() as connection:
            if not connection.execute(RUNS.delete().where(over)).rowcount:
                return False
            connection.execute(TASK_RUNS.delete().where(TASK_RUNS.c.run == uid))
        return True

    def object(self, uid: str) -> dict[str, Any]:
        """The run as an object, with its status."""
        return self._json(select(RUNS.c.object).where(RUNS.c.uid == uid)) or {}

    def asked_object(self, uid: str) -> dict[str, Any]:
        """The run as it was asked for."""
        return self._json(select(RUNS.c.asked).where(RUNS.c.uid == uid)) or {}

    def documents(self, uid: str) -> list[Document]:
        """What the run may refer to."""
        query = select(BUNDLES.c.documents).join(RUNS, RUNS.c.bundle == BUNDLES.c.hash).where(RUNS.c.uid == uid)
        return [Document(body, source) for body, source in self._json(query) or []]

    def task_runs(self, uid: str) -> list[dict[str, Any]]:
        """The TaskRuns of a run as objects, in the order in which they started."""
        query = select(TASK_RUNS.c.object).where(TASK_RUNS.c.run == uid).order_by(TASK_RUNS.c.started)
        with self._reading() as connection:
            return [json.loads(text) for (text,) in connection.execute(query)]

    def task_starts(self, uid: str) -> dict[str, int]:
        """When each TaskRun of a run began, by its UID, in nanoseconds since the epoch."""
        query = select(TASK_RUNS.c.uid, TASK_RUNS.c.started).where(TASK_RUNS.c.run == uid)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def history(self, pipeline: str, limit: int = 2000) -> list[dict[str, Any]]:
        """Past TaskRuns of a pipeline, newest first: task, status, reason, attempts, times, hash of the inputs."""
        names = ("pipeline_task", "status", "reason", "attempts", "started", "finished", "inputs", "run")
        query = select(*(TASK_RUNS.c[name] for name in names)).where(TASK_RUNS.c.finished > 0)
        query = query.order_by(TASK_RUNS.c.started.desc()).limit(limit)
        if pipeline:
            query = query.where(TASK_RUNS.c.pipeline == pipeline)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self) -> int:
        """How many runs are kept."""
        with self._reading() as connection:
            return int(connection.execute(select(func.count()).select_from(RUNS)).scalar_one())

    # -- the cache of tasks

    def cached(self, key: str, since: int) -> tuple[str, list[dict[str, Any]]] | None:
        """The TaskRun that had these inputs, and its results; not one from before `since`."""
        query = select(CACHE.c.task_run, CACHE.c.results).where(CACHE.c.key == key, CACHE.c.created >= since)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return (row[0], json.loads(row[1])) if row else None

    def keep_cached(self, key: str, task_run: str, results: Any) -> None:
        """Remember what a TaskRun gave for its inputs."""
        self._writer.put(CACHE.delete().where(CACHE.c.key == key))
        row = {"key": key, "created": times.now(), "task_run": task_run, "results": json.dumps(results)}
        self._writer.put(CACHE.insert(), row)

    def flush(self) -> None:
        """Wait until all is written. Raises `StateError`."""
        self._writer.flush()

    def claim(self, uid: str, owner: str) -> bool:
        """Take over a run from a process that is gone; False when another was faster."""
        try:
            with self._engine.begin() as connection:
                taken = connection.execute(
                    update(RUNS).where(RUNS.c.uid == uid, RUNS.c.owner == owner).values(owner=me())
                )
                return taken.rowcount == 1
        except exc.SQLAlchemyError as error:
            raise explained(error) from None

    def _json(self, query: Any) -> Any:
        with self._reading() as connection:
            text = connection.execute(query).scalar()
        return json.loads(text) if text else None

    def _reading(self) -> Any:
        try:
            return self._engine.connect()
        except exc.SQLAlchemyError as error:
            raise explained(error) from None


def open_store(data: Path, url: str = "") -> RunStore:
    """The store of a data directory, or of a database. Raises `StateError`."""
    return RunStore(url or f"sqlite:///{data / 'control.db'}")


def _of(run: PipelineRun | TaskRun) -> str:
    return (
        (run.pipeline_name if isinstance(run, PipelineRun) else run.task_name)
        or run.labels.get("tekton.dev/pipeline", "")
        or str((run.spec.get("pipelineRef") or run.spec.get("taskRef") or {}).get("name") or "")
        or run.name
    )


def _task_row(run: TaskRun, status: str, reason: str) -> dict[str, Any]:
    return {
        "uid": run.uid, "run": run.pipeline_run_uid or run.uid, "name": run.name,
        "pipeline_task": run.pipeline_task or run.name,
        "pipeline": run.labels.get("tekton.dev/pipeline", run.task_name),
        "combination": run.combination, "started": run.started or times.now(), "finished": run.finished,
        "status": status,
        "reason": reason, "attempts": run.attempt + 1, "inputs": run.annotations.get("pilothouse.dev/inputs", ""),
        "object": json.dumps(run.to_object(), ensure_ascii=False),
    }  # fmt: skip


def _dialect_insert(dialect: str, table: Any) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def _upsert(dialect: str) -> Any:
    if dialect not in _UPSERTS:
        statement = _dialect_insert(dialect, TASK_RUNS)
        changed = {
            name: statement.excluded[name] for name in ("finished", "status", "reason", "attempts", "inputs", "object")
        }
        _UPSERTS[dialect] = statement.on_conflict_do_update(index_elements=["uid"], set_=changed)
    return _UPSERTS[dialect]


def _ignoring(dialect: str) -> Any:
    return _dialect_insert(dialect, BUNDLES).on_conflict_do_nothing(index_elements=["hash"])


_UPSERTS: dict[str, Any] = {}
