"""Runs documents: PipelineRuns, TaskRuns, and Pipelines and Tasks as if a run of them had been written."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pilothouse.delivery.pipelines import naming, times, tracing
from pilothouse.delivery.pipelines.catalog import RUN_KINDS, Catalog
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.errors import DocumentError, ResolveError, RunError
from pilothouse.delivery.pipelines.events import Listener, RunFinished, RunStarted, nobody
from pilothouse.delivery.pipelines.executors.launching import Launcher
from pilothouse.delivery.pipelines.masking import Masker
from pilothouse.delivery.pipelines.references import References, Resolver
from pilothouse.delivery.pipelines.runs import timing
from pilothouse.delivery.pipelines.runs.request import PipelineRun
from pilothouse.delivery.pipelines.runs.running import CustomHandler, PipelineRunner, Surroundings
from pilothouse.delivery.pipelines.tasks.control import Control
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.running import run_task
from pilothouse.delivery.pipelines.tasks.setting import GRACE, Setting
from pilothouse.delivery.pipelines.volumes import claimed

Run = PipelineRun | TaskRun


class Recorder(Protocol):
    """Where state is kept. What `started` wrote must be kept before a task may run: that is why it is awaited."""

    async def task_started(self, run: TaskRun) -> None: ...
    def task_finished(self, run: TaskRun) -> None: ...


class _Nowhere:
    async def task_started(self, run: TaskRun) -> None:
        """Kept nowhere."""

    def task_finished(self, run: TaskRun) -> None:
        """Kept nowhere."""


@dataclass(slots=True)
class Options:
    """How an engine runs things. `data` holds logs and kept claims; `jobs` bounds how many TaskRuns run at once."""

    data: Path
    launcher: Launcher
    listener: Listener = nobody
    resolvers: Mapping[str, Resolver] = field(default_factory=dict)
    custom: Mapping[tuple[str, str], CustomHandler] = field(default_factory=dict)
    secrets: Iterable[bytes] = ()
    # Texts that somebody outside chose: no script may hold one.
    foreign: frozenset[str] = frozenset()
    directory: str = "/workspace"
    jobs: int = 64
    strict: bool = False
    keep: bool = False
    breakpoints: bool = False
    grace: float = GRACE
    environment: dict[str, str] = field(default_factory=dict)
    recorder: Recorder = field(default_factory=_Nowhere)
    cache: Any = None
    # Who runs one TaskRun; on a cluster its Pods.
    run_task: Callable[[TaskRun, Setting, Control], Awaitable[None]] = run_task


class Engine:
    """Runs the runs of one catalog. One engine belongs to one event loop."""

    def __init__(self, catalog: Catalog, options: Options) -> None:
        self._options = options
        self.references = References(catalog, options.resolvers)
        self.masker = Masker([*catalog.secret_values(), *options.secrets])
        self.setting = Setting(
            catalog=catalog, launcher=options.launcher, data=options.data, action=self.references.action,
            listener=options.listener, masker=self.masker, directory=options.directory, strict=options.strict,
            keep=options.keep, breakpoints=options.breakpoints, grace=options.grace, environment=options.environment,
            foreign=options.foreign,
        )  # fmt: skip
        self._places = asyncio.Semaphore(options.jobs)
        self._controls: dict[str, Control] = {}
        self._runners: dict[str, PipelineRunner] = {}
        self._asked: dict[str, str] = {}

    async def run(self, run: Run, kept: Mapping[str, list[TaskRun]] | None = None) -> Run:
        """Run to the end; the status is then final. `kept` are TaskRuns by pipeline task that need not run again."""
        run.trace = run.trace or inherited_trace()
        if isinstance(run, PipelineRun):
            around = Surroundings(self.setting, self.references, self._run_task, self._options.custom, kept or {})
            runner = self._runners[run.uid] = PipelineRunner(run, around)
            if how := self._asked.get(run.uid) or _asked_for(run):
                runner.ask(how)
            try:
                await runner()
            finally:
                del self._runners[run.uid]
        else:
            await self._alone(run)
        if not self._options.keep:
            shutil.rmtree(self.setting.scratch(run.uid), ignore_errors=True)
        return run

    def cancel(self, uid: str, how: str = "Cancelled") -> None:
        """Ask a run to end: `Cancelled`, `CancelledRunFinally` or `StoppedRunFinally` (a TaskRun: the first)."""
        self._asked[uid] = how
        if runner := self._runners.get(uid):
            runner.ask(how)
        if control := self._controls.get(uid):
            control.stop("TaskRunCancelled", "TaskRun was cancelled")

    async def _alone(self, run: TaskRun) -> None:
        """A TaskRun that no pipeline made."""
        listener, started = self._options.listener, times.now()
        listener(
            RunStarted(
                run.name,
                started,
                uid=run.uid,
                kind="TaskRun",
                pipeline=run.task_name,
                tasks=(run.name,),
                trace=run.trace,
            )
        )
        control = self._controls[run.uid] = Control()
        if run.uid in self._asked:
            control.stop("TaskRunCancelled", "TaskRun was cancelled")
        try:
            await self._resolve(run)
            await self._run_task(run, control)
        except (RunError, ResolveError) as error:
            _failed(run, error.reason, str(error))
        finally:
            del self._controls[run.uid]
        listener(
            RunFinished(
                run.name, times.now(), uid=run.uid, kind="TaskRun", pipeline=run.task_name, status=run.status,
                started=started, trace=run.trace, span=tracing.new_span(),
            )
        )  # fmt: skip

    async def _resolve(self, run: TaskRun) -> None:
        if run.spec.get("taskSpec") is not None:
            run.task = run.spec["taskSpec"]
            return
        found = await self.references.task(run.spec["taskRef"])
        run.task, run.task_name, run.source = found.spec, found.name, found.source
        run.annotations = {**found.annotations, **run.annotations}

    async def _run_task(self, run: TaskRun, control: Control) -> None:
        cache, recorder = self._options.cache, self._options.recorder
        async with self._places:
            if control.asked:
                _failed(run, control.reason, control.message)
                return
            if cache is not None and await cache.restore(run, self.setting):
                recorder.task_finished(run)
                return
            await recorder.task_started(run)
            await self._options.run_task(run, self.setting, control)
            if cache is not None:
                cache.keep(run)
            recorder.task_finished(run)


def to_run(document: Document, name: str = "") -> Run:
    """The run that a document asks for: a PipelineRun or TaskRun as it is, a Pipeline or Task as a run of it."""
    body = document.body
    meta = body.get("metadata") or {}
    kind, spec = document.kind, dict(body.get("spec") or {})
    if kind in ("Pipeline", "Task"):
        name = name or naming.generated(f"{document.name[:50]}-run-")
        spec = {("pipelineRef" if kind == "Pipeline" else "taskRef"): {"name": document.name}}
        meta, kind = {}, f"{kind}Run"
    elif kind not in RUN_KINDS:
        raise DocumentError(f"{document.title} cannot be run; give a PipelineRun, TaskRun, Pipeline or Task")
    name = name or meta.get("name") or naming.generated(meta.get("generateName") or "run-")
    common: dict[str, Any] = {
        "name": name, "uid": naming.uid(), "spec": spec, "namespace": meta.get("namespace") or "default",
        "labels": dict(meta.get("labels") or {}), "annotations": dict(meta.get("annotations") or {}),
    }  # fmt: skip
    if kind == "PipelineRun":
        return PipelineRun(**common)
    run = TaskRun(**common)
    spec["workspaces"] = claimed(spec.get("workspaces") or [], run.uid)
    run.timeout = _timeout(spec)
    return run


def choose(documents: Iterable[Document], wanted: str = "") -> list[Document]:
    """Which of a file's documents to run: all its runs, or its last Pipeline, or its last Task; or the one `wanted`."""
    found = [one for one in documents if one.kind in (*RUN_KINDS[:2], "Pipeline", "Task")]
    if wanted:
        named = [one for one in found if wanted in (one.name, f"{one.kind}/{one.name}")]
        if not named:
            known = ", ".join(f"{one.kind}/{one.name}" for one in found) or "nothing that can be run"
            raise DocumentError(f"there is no {wanted!r} to run; there is {known}")
        return named[-1:]
    runs = [one for one in found if one.kind in RUN_KINDS]
    if runs:
        return runs
    for kind in ("Pipeline", "Task"):
        if of_kind := [one for one in found if one.kind == kind]:
            return of_kind[-1:]
    raise DocumentError("there is nothing to run: no PipelineRun, TaskRun, Pipeline or Task")


def _asked_for(run: Run) -> str:
    """A run may be written as one that ends at once."""
    how = str(run.spec.get("status") or "")
    return how if how in ("Cancelled", "CancelledRunFinally", "StoppedRunFinally") else ""


def _timeout(spec: dict[str, Any]) -> float:
    from pilothouse.delivery.pipelines import durations

    return durations.seconds(spec["timeout"]) if spec.get("timeout") else timing.DEFAULT


def inherited_trace() -> str:
    """The trace that the caller is in (`TRACEPARENT`), or a new one."""
    found = tracing.read(os.environ.get("TRACEPARENT", ""))
    return found[0] if found else tracing.new_trace()


def _failed(run: TaskRun, reason: str, message: str) -> None:
    from pilothouse.delivery.pipelines.conditions import Condition

    now = times.written(times.now())
    run.status.setdefault("startTime", now)
    run.status["completionTime"] = now
    run.status["conditions"] = [Condition("False", reason, message).to_json()]
