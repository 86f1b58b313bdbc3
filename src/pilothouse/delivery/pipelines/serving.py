"""Pipelines in the server: a directory of YAML that can be started, listens to events, and repeats by the clock.

All of it runs on a thread with an event loop of its own, so that a busy pipeline holds up no question about telemetry.
Only what is in the directory can be started: a request names an object and parameters, it brings no YAML.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import structlog

from pilothouse.delivery.pipelines import checking, scheduled
from pilothouse.delivery.pipelines.asking import Ask, one
from pilothouse.delivery.pipelines.catalog import RUN_KINDS, Catalog
from pilothouse.delivery.pipelines.documents import Document, read_files
from pilothouse.delivery.pipelines.engine import Options, Run, choose, to_run
from pilothouse.delivery.pipelines.errors import PipelineError
from pilothouse.delivery.pipelines.local import Where
from pilothouse.delivery.pipelines.service import Service
from pilothouse.delivery.pipelines.state.store import RunStore
from pilothouse.delivery.pipelines.triggers.event import Event
from pilothouse.delivery.pipelines.triggers.listening import Heard, hear

log = structlog.get_logger(__name__)
T = TypeVar("T")


class PipelineServer:
    """Runs the pipelines of a directory. `start` and `close` from any thread."""

    def __init__(self, directory: Path, data: Path, database: str, executor: str = "process") -> None:
        """Raises `PipelineError` for a directory with broken YAML."""
        self.directory = directory
        self.documents()
        self.store = RunStore(database)
        self.data = data
        self._executor = executor
        # How a run of somebody's runs (delivery's jobs in their checkouts); all others as they are.
        self.prepare: Callable[[Run, Options], Options] = lambda run, options: options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pipelines", daemon=True)
        self._service: Service | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._repeating: asyncio.Future[None] | None = None
        self._leads: Callable[[], bool] = lambda: True

    def documents(self) -> list[Document]:
        """The objects of the directory as they are now, checked. Raises `PipelineError`."""
        found = read_files([self.directory])
        checking.require(found)
        return found

    def start(self, telemetry: str = "", socket: str = "", leads: Callable[[], bool] | None = None) -> None:
        """Begin: take up what a killed process left, and run what is scheduled.

        `telemetry` is where runs are told of, over OTLP; `socket` the Unix socket to go through, if any. Of several
        processes on one database the one that `leads` runs what is scheduled (None: this one).
        """
        self._leads = leads or (lambda: True)
        from pilothouse.delivery.pipelines.telemetry import Telemetry

        where = Where(self.data, executor=self._executor, listeners=[Telemetry(telemetry, socket)] if telemetry else [])
        self._thread.start()
        self.call(self._begin(where)).result()

    def close(self) -> None:
        """Ask what runs to end, and wait for it a little."""
        if not self._thread.is_alive():
            return
        try:
            self.call(self._end()).result(timeout=15)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
            if not self._thread.is_alive():
                self._loop.close()
            self.store.close()

    def call(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Do some work on the pipelines' own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def begin(self, name: str, params: dict[str, Any]) -> str:
        """Start a Pipeline, Task or run of the directory; its run's name. Raises `PipelineError`."""
        found = self.documents()
        document = choose(found, name)[-1]
        # Values come as JSON: no text is parsed for them.
        asked = one(Ask(here=self.directory.parent), document, found)
        given = {one["name"]: one for one in asked.run.spec.get("params") or []}
        asked.run.spec["params"] = [
            *(given | {key: {"name": key, "value": value} for key, value in params.items()}).values()
        ]
        self._go(asked.document, found, asked.run)
        return asked.run.name

    async def hear(self, listener: str, event: Event) -> Heard:
        """Show an event to an EventListener and start what it makes. Raises `TriggerError`, `PipelineError`."""
        found = self.documents()
        heard = await hear(listener, event, Catalog(found))
        runs = [document for document in heard.objects if document.kind in RUN_KINDS[:2]]
        checking.require(runs)
        more = [document for document in heard.objects if document not in runs]
        for document in runs:
            self._go(document, [*found, *more], to_run(document))
        return heard

    def launch(self, document: Document, documents: list[Document], run: Run, ended: Callable[[Run], None]) -> None:
        """Start a run that somebody else made, from any thread; `ended` is called on the loop of the pipelines."""

        def begin() -> None:
            self._go(document, documents, run).add_done_callback(lambda task: ended(run))

        self._loop.call_soon_threadsafe(begin)

    def end(self, uid: str, how: str = "Cancelled") -> None:
        """Ask a run to end, from any thread."""
        if self._service is not None:
            self._loop.call_soon_threadsafe(self._service.cancel, uid, how)

    def recover(self) -> None:
        """Take up what processes of this machine left that are gone, also while this one runs. From any thread."""
        if self._service is not None:
            self.call(self._service.recover())

    def forget(self, uid: str) -> None:
        """Keep nothing of a run that is over: neither its state nor its logs."""
        if self.store.forget(uid):
            shutil.rmtree(self.data / "logs" / uid, ignore_errors=True)

    def _go(self, document: Document, documents: list[Document], run: Any) -> asyncio.Task[Any]:
        assert self._service is not None
        task = asyncio.ensure_future(self._service.run(document, documents, run=run))
        self._running.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a run ended with an error", error=str(error))

    async def _begin(self, where: Where) -> None:
        self._service = Service(self.store, where.options(), lambda run, options: self.prepare(run, options))
        taken = asyncio.ensure_future(self._service.recover())
        self._running.add(taken)
        taken.add_done_callback(self._over)
        self._repeating = asyncio.ensure_future(self._repeat())

    async def _repeat(self) -> None:
        """Starts what is due, once a second; the directory is read again each time it changed."""
        clock = scheduled.Clock()
        while True:
            try:
                for document in clock.due(self.documents() if clock.changed(self.directory) else None):
                    if not self._leads():
                        continue
                    self._go(document, self.documents(), to_run(scheduled.once(document)))
            except (PipelineError, OSError) as error:
                log.warning("scheduled pipelines", error=str(error))
            await asyncio.sleep(1)

    async def _end(self) -> None:
        for kept in self.store.runs(limit=1000, unfinished=True):
            if self._service and self._service.has(kept.uid):
                self._service.cancel(kept.uid)
        if self._repeating:
            self._repeating.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=10)
