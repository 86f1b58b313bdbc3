"""Runs with state: started, cancelled, resumed, and taken up again after the process that ran them was killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pilothouse.control.owning import alive
from pilothouse.delivery.pipelines import checking, times
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.engine import Engine, Options, Run, inherited_trace, to_run
from pilothouse.delivery.pipelines.errors import StateError
from pilothouse.delivery.pipelines.queueing import Queue, group_of
from pilothouse.delivery.pipelines.runs.request import PipelineRun
from pilothouse.delivery.pipelines.state.owning import kill_left_steps
from pilothouse.delivery.pipelines.state.store import KeptRun, RunStore
from pilothouse.delivery.pipelines.tasks.request import TaskRun

# How often a run looks whether somebody in another process asked for its end.
_LOOK = 0.3
INTERRUPTED = "Interrupted"
RERUN = "pilothouse.dev/on-interruption"


class Service:
    """Runs documents and keeps their state. Belongs to one event loop."""

    def __init__(
        self, store: RunStore, options: Options, make_options: Callable[[Run, Options], Options] | None = None
    ) -> None:
        self.store = store
        self._options = options
        self._make = make_options or (lambda run, given: given)
        self._engines: dict[str, Engine] = {}
        self._queue = Queue(store)

    async def run(
        self, document: Document, documents: Iterable[Document], name: str = "", run: Run | None = None
    ) -> Run:
        """Check, keep, and run to the end. Raises `InvalidError`, `StateError`."""
        found = list(documents)
        checking.require([document])
        run = run or to_run(document, name)
        run.trace = run.trace or inherited_trace()
        group = group_of(run)
        await self.store.asked(run, found, group.name)
        if run.spec.get("status") in ("PipelineRunPending", "TaskRunPending"):
            return await self._pending(run)
        return await self._go(run, found)

    async def _pending(self, run: Run) -> Run:
        """A run that waits for `resume`."""
        reason = str(run.spec["status"])
        run.status["conditions"] = [Condition("Unknown", reason, f"{run.name} is pending").to_json()]
        await self.store.pending(run)
        return run

    async def _go(self, run: Run, documents: list[Document], kept: dict[str, list[TaskRun]] | None = None) -> Run:
        options = replace(self._make(run, self._options), recorder=self.store)
        engine = self._engines[run.uid] = Engine(Catalog(documents), options)
        looking = asyncio.ensure_future(self._look(run.uid, engine))
        try:
            if await self._queue.wait(run):
                await self.store.started(run)
                await engine.run(run, kept)
            await self.store.finished(run)
        except StateError as error:
            now = times.now()
            run.status["conditions"] = [Condition("False", "StateLost", str(error), now).to_json()]
            raise
        finally:
            looking.cancel()
            self._queue.leave(run)
            del self._engines[run.uid]
        return run

    def has(self, uid: str) -> bool:
        """Whether this service runs it."""
        return uid in self._engines

    def cancel(self, uid: str, how: str = "Cancelled") -> None:
        """Ask a run to end, whichever process runs it."""
        if engine := self._engines.get(uid):
            engine.cancel(uid, how)
        self.store.want(uid, how)

    async def resume(self, name: str) -> Run:
        """Run again what failed, with the results of what succeeded kept. Raises `StateError`."""
        old = self.store.find(name)
        if old is None:
            raise StateError(f"there is no run {name!r}")
        pending = old.reason in ("PipelineRunPending", "TaskRunPending")
        if old.kind != "PipelineRun" and not pending:
            raise StateError(f"{name} is a TaskRun: run it again instead")
        documents = self.store.documents(old.uid)
        asked = self.store.asked_object(old.uid)
        asked["metadata"] = {**asked["metadata"], "name": None, "generateName": f"{old.name[:50]}-again-"}
        asked["spec"].pop("status", None)
        run = to_run(Document(asked), old.name if pending else "")
        if pending:
            run.uid, run.trace = old.uid, old.trace
            return await self._go(run, documents)
        assert isinstance(run, PipelineRun)
        run.labels["pilothouse.dev/resumes"] = old.name
        kept = succeeded(self.store, old.uid)
        await self.store.asked(run, documents, group_of(run).name)
        return await self._go(run, documents, kept)

    async def recover(self) -> list[KeptRun]:
        """Take up the runs of processes that are gone: what had ended is kept, what ran is marked or run again.

        A TaskRun that was running may have done anything: it is `Interrupted`, and not run again unless it has retries
        left or its annotation `pilothouse.dev/on-interruption` says `rerun`.
        """
        taken = []
        for run in self.store.runs(limit=10_000, unfinished=True):
            if not run.owner or alive(run.owner) is not False or not self.store.claim(run.uid, run.owner):
                continue
            taken.append(run)
        lost = {run.uid: [one for one in self.store.task_runs(run.uid) if not _done(one)] for run in taken}
        kill_left_steps({one["metadata"]["uid"] for found in lost.values() for one in found})
        await asyncio.gather(*(self._again(run, lost[run.uid]) for run in taken))
        return taken

    async def _again(self, kept: KeptRun, lost: list[dict[str, Any]]) -> None:
        asked = self.store.asked_object(kept.uid)
        run = to_run(Document(asked), kept.name)
        run.uid, run.trace, run.started = kept.uid, kept.trace, kept.started
        documents = self.store.documents(kept.uid)
        stuck = [one for one in lost if not _may_rerun(one)]
        if not stuck and not (kept.kind == "TaskRun" and lost and not _may_rerun(lost[0])):
            with contextlib.suppress(StateError):
                await self._go(run, documents, succeeded(self.store, kept.uid))
            return
        names = ", ".join(one["metadata"]["name"] for one in stuck)
        condition = Condition(
            "False",
            INTERRUPTED,
            f"the process that ran it ended while {names} ran; what it had done by then is not known",
        )
        for one in stuck:
            self.store.task_finished(_interrupted(one, condition))
        run.status = {"conditions": [condition.to_json()], "startTime": times.written(kept.started or kept.created)}
        run.status["completionTime"] = times.written(times.now())
        await self.store.finished(run)

    async def _look(self, uid: str, engine: Engine) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            with contextlib.suppress(Exception):
                if how := self.store.wanted([uid]).get(uid):
                    engine.cancel(uid, how)
                    self._queue.cancel(uid)
                    return


def succeeded(store: RunStore, uid: str) -> dict[str, list[TaskRun]]:
    """The TaskRuns of a run by pipeline task, of those tasks all of whose runs succeeded."""
    found: dict[str, list[TaskRun]] = {}
    bad: set[str] = set()
    for one in store.task_runs(uid):
        run = from_object(one)
        found.setdefault(run.pipeline_task, []).append(run)
        if not run.condition.succeeded:
            bad.add(run.pipeline_task)
    return {name: sorted(runs, key=lambda run: run.combination) for name, runs in found.items() if name not in bad}


def from_object(body: dict[str, Any]) -> TaskRun:
    """A TaskRun from its object."""
    meta = body["metadata"]
    labels = dict(meta.get("labels") or {})
    index = meta["name"].rpartition("-")[2]
    return TaskRun(
        name=meta["name"], uid=meta["uid"], spec=body.get("spec") or {}, namespace=meta.get("namespace", "default"),
        labels=labels, annotations=dict(meta.get("annotations") or {}),
        pipeline_task=labels.get("tekton.dev/pipelineTask", ""),
        pipeline_run=labels.get("tekton.dev/pipelineRun", ""), status=body.get("status") or {},
        combination=int(index) if index.isdigit() else 0,
    )  # fmt: skip


def _done(body: dict[str, Any]) -> bool:
    return from_object(body).condition.done


def _may_rerun(body: dict[str, Any]) -> bool:
    annotations = body["metadata"].get("annotations") or {}
    return annotations.get(RERUN) == "rerun" or int((body.get("spec") or {}).get("retries") or 0) > 0


def _interrupted(body: dict[str, Any], condition: Condition) -> TaskRun:
    run = from_object(body)
    run.status = {**run.status, "conditions": [condition.to_json()], "completionTime": times.written(times.now())}
    run.finished = times.now()
    return run
