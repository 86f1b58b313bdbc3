"""Delivery in the server: a thread that works the inbox off, follows jobs, and drives the merge pools."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import exc

from pilothouse.delivery.acting import pool_json
from pilothouse.delivery.acting.claiming import Presence
from pilothouse.delivery.acting.confining import Walls
from pilothouse.delivery.acting.mirror import GitError, Mirrors
from pilothouse.delivery.acting.records import KeptJob
from pilothouse.delivery.acting.repositories import ForgePart, Shared
from pilothouse.delivery.acting.running import Jobs
from pilothouse.delivery.acting.store import DeliveryStore
from pilothouse.delivery.forges import Event, Forge, ForgeError, PullRequest, UnavailableError
from pilothouse.delivery.inbox import Inbox, SetAsideError, work
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.engine import Run
from pilothouse.delivery.pipelines.serving import PipelineServer

log = structlog.get_logger(__name__)
_THREADS = 8
_MAKING_UP_SECONDS = 2.0
_TENDING_SECONDS = 2.0
_PERIODIC_SECONDS = 30.0


class DeliveryError(Exception):
    """Delivery cannot begin; the message says why."""


class DeliveryServer:
    """Acts on the events of forges. `start` and `close` from any thread."""

    def __init__(
        self, database: str, data: Path, forges: Mapping[str, Forge], inbox: Inbox, pipelines: PipelineServer,
        page: Callable[[str], str] = lambda run: "", listeners: Sequence[Callable[[Event], None]] = (),
        strangers: Walls = "sandbox", members: Walls = "process", owner: str = "",
    ) -> None:  # fmt: skip
        """`page` is a run's page; `listeners` hear of events that were acted on. Raises `DeliveryError`.

        Of several processes on one database `owner` is this one (empty: by its number and machine).
        """
        try:
            self.store = DeliveryStore(database)
        except (exc.SQLAlchemyError, OSError) as error:
            raise DeliveryError(f"delivery cannot keep its state: {getattr(error, 'orig', None) or error}") from None
        self._inbox, self._listeners = inbox, listeners
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="delivery")
        self._runs = _Runs(pipelines, self._threads)
        self._presence = Presence(self.store, owner)
        self.jobs = Jobs(
            self.store, self._runs, data / "delivery" / "checkouts", forges, page, self._ended, strangers, members,
            self._presence,
        )  # fmt: skip
        pipelines.prepare = self.jobs.options
        shared = Shared(self.store, Mirrors(data / "delivery" / "git"), self.jobs, self.pool, owner)
        self.parts = {name: ForgePart(forge, shared) for name, forge in forges.items()}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="delivery", daemon=True)
        self._tasks: list[asyncio.Future[Any]] = []

    def start(self) -> None:
        """Go on where an earlier process was, then take events."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result()

    def close(self) -> None:
        """Take no more; what is being done is ended or done again by the next process."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=30)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
            if not self._thread.is_alive():
                self._loop.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for part in self.parts.values():
            part.pools.let_go()
        self._presence.leave()
        self.store.close()

    def pool(self, forge: str, repository: str, branch: str) -> dict[str, Any]:
        """A branch's merge pool as the API has it."""
        part = self.parts.get(forge)
        if part is None:
            return {**pool_json.for_people(pool_json.EMPTY), "history": []}
        return part.pools.state(repository, branch)

    def is_trusted(self, forge: str, pull: PullRequest) -> bool:
        """Whether a pull request's head may be run: its author works there, or /ok-to-test was said of this commit."""
        part, kept = self.parts.get(forge), self.store.pull(forge, pull.repository, pull.number)
        if part is None or kept is None:
            return False
        works_there = part.forge.permission(pull.repository, pull.author) in ("write", "admin")
        return works_there or kept.trusted_head == pull.head.sha

    def tested(self, forge: str, repository: str, commit: str) -> str:
        """The run of the job that was green for a commit of a branch: after its push, else in the merge pool, else in
        the pull request. Raises the forge's errors.
        """
        green = [
            job for job in self.store.jobs(repository, revision=commit)
            if job.forge == forge and job.state == "success" and job.kind in ("postsubmit", "batch")
        ]  # fmt: skip
        found = next((job.run for job in sorted(green, key=lambda job: job.kind != "postsubmit")), "")
        return found or self._tested_before(forge, repository, commit)

    def _tested_before(self, forge: str, repository: str, commit: str) -> str:
        """The pool does not test again what was tested on just this base: the same files in a new commit."""
        part = self.parts.get(forge)
        parents = part.forge.commit(repository, commit).parents if part is not None else ()
        if part is None or not parents:
            return ""
        for job in self.store.jobs(repository, base=parents[0]):
            if (job.forge, job.kind, job.state) == (forge, "presubmit", "success"):
                pull = part.forge.pull_request(repository, job.number)
                if (pull.merge_sha, pull.head.sha) == (commit, job.head):
                    return job.run
        return ""

    def part_of(self, repository: str, number: int) -> ForgePart | None:
        """The forge that has a pull request."""
        for name, part in self.parts.items():
            if self.store.pull(name, repository, number) is not None:
                return part
        return None

    async def _begin(self) -> None:
        self._loop.set_default_executor(self._threads)
        self._tasks = [
            asyncio.ensure_future(self._take_up()),
            asyncio.ensure_future(work(self._inbox, self._handle)),
            asyncio.ensure_future(self._every(_MAKING_UP_SECONDS, self._make_up)),
            asyncio.ensure_future(self._every(_TENDING_SECONDS, self._tend)),
            asyncio.ensure_future(self._every(_PERIODIC_SECONDS, self._periodics)),
        ]

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, event: Event) -> None:
        part = self.parts.get(event.forge)
        if part is None:
            raise SetAsideError(f"there is no forge {event.forge!r} here; there are {', '.join(self.parts) or 'none'}")
        try:
            await asyncio.to_thread(part.handle, event)
        except GitError as error:
            raise UnavailableError(str(error)) from None
        await asyncio.to_thread(self._tell, event)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed", delivery=event.delivery)

    async def _take_up(self) -> None:
        for name, part in self.parts.items():
            try:
                await asyncio.to_thread(part.take_up)
            except (ForgeError, GitError) as error:
                log.warning("a forge cannot be asked how things stand", forge=name, reason=str(error))

    async def _every(self, seconds: float, what: Callable[[], None]) -> None:
        while True:
            try:
                await asyncio.to_thread(what)
            except (ForgeError, GitError, exc.SQLAlchemyError) as error:
                log.warning("delivery", reason=str(error))
            await asyncio.sleep(seconds)

    def _tend(self) -> None:
        for part in self.parts.values():
            part.tend()

    def _make_up(self) -> None:
        self._presence.show()
        self.jobs.make_up(lambda forge, repository: self.parts[forge].loading.mirror(repository))

    def _periodics(self) -> None:
        for part in self.parts.values():
            part.periodics(time.time())

    def _ended(self, job: KeptJob) -> None:
        """What follows from a job's end is done on another thread: whoever ends it may hold a pool."""
        with contextlib.suppress(RuntimeError):
            self._threads.submit(self._follow, job)

    def _follow(self, job: KeptJob) -> None:
        try:
            if part := self.parts.get(job.forge):
                part.ended(job)
        except (ForgeError, GitError) as error:
            log.warning("what follows from a job", job=job.job, repository=job.repository, reason=str(error))
        except Exception:
            log.exception("what follows from a job", job=job.job, repository=job.repository)


class _Runs:
    """The pipelines' server as jobs see it; what follows from a run's end is done on a thread of delivery's."""

    def __init__(self, pipelines: PipelineServer, threads: ThreadPoolExecutor) -> None:
        self._pipelines, self._threads = pipelines, threads

    def launch(self, document: Document, documents: list[Document], run: Run, ended: Callable[[Run], None]) -> None:
        """Start a run."""

        def over(run: Run) -> None:
            with contextlib.suppress(RuntimeError):
                self._threads.submit(ended, run)

        self._pipelines.launch(document, documents, run, over)

    def end(self, uid: str, how: str = "Cancelled") -> None:
        """Ask a run to end."""
        self._pipelines.end(uid, how)

    def kept(self, uid: str) -> Any:
        """The run as it is kept."""
        return self._pipelines.store.find(uid)

    def recover(self) -> None:
        """Take up what processes of this machine left that are gone."""
        self._pipelines.recover()

    def forget(self, uid: str) -> None:
        """Keep nothing of a run."""
        self._pipelines.forget(uid)
