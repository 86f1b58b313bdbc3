"""A PipelineRun from start to end: the schedule asked, its tasks run side by side, their results handed on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import events, parameters, times, tracing
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.conditions import Condition
from pilothouse.delivery.pipelines.errors import InvalidError, ResolveError, RunError
from pilothouse.delivery.pipelines.graph import GraphError, build
from pilothouse.delivery.pipelines.references import References
from pilothouse.delivery.pipelines.runs import scheduling, status, timing
from pilothouse.delivery.pipelines.runs.children import Child, Children
from pilothouse.delivery.pipelines.runs.knowing import Knowledge
from pilothouse.delivery.pipelines.runs.request import CustomRun, PipelineRun
from pilothouse.delivery.pipelines.runs.scheduling import Schedule, State
from pilothouse.delivery.pipelines.tasks.control import Control
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.setting import Setting
from pilothouse.delivery.pipelines.variables import Values

RunTask = Callable[[TaskRun, Control], Awaitable[None]]
CustomHandler = Callable[[CustomRun, Control], Awaitable[None]]
# How a run is asked to end: `spec.status` of a PipelineRun.
CANCEL, CANCEL_FINALLY, STOP = "Cancelled", "CancelledRunFinally", "StoppedRunFinally"


@dataclass(slots=True)
class Surroundings:
    """What a PipelineRun needs of the engine: how a TaskRun is run (with state, cache, limits)."""

    setting: Setting
    references: References
    run_task: RunTask
    custom: Mapping[tuple[str, str], CustomHandler] = field(default_factory=dict)
    kept: Mapping[str, list[TaskRun]] = field(default_factory=dict)


class PipelineRunner:
    """Runs one PipelineRun."""

    def __init__(self, run: PipelineRun, around: Surroundings) -> None:
        self.run = run
        self._around = around
        self._controls: dict[str, list[Control]] = {}
        self._inner: list[PipelineRunner] = []
        self._tasks: dict[asyncio.Task[State], str] = {}
        self._ended: list[asyncio.Task[State]] = []
        self._asked = ""
        self._wake = asyncio.Event()
        self._timed_out = ""
        self._failure: Condition | None = None
        self._reasons: dict[str, str] = {}
        self._schedule: Schedule | None = None

    def ask(self, how: str) -> None:
        """End the run early: `Cancelled`, `CancelledRunFinally` or `StoppedRunFinally`. A stronger wish wins."""
        order = ("", STOP, CANCEL_FINALLY, CANCEL)
        if order.index(how) > order.index(self._asked):
            self._asked = how
            self._wake.set()

    async def __call__(self) -> None:
        """Run it; `run.status` is then final. Raises nothing that a pipeline can cause."""
        run = self.run
        run.started = run.started or times.now()
        run.span = run.span or tracing.new_span()
        status.started(run)
        try:
            condition = await self._prepared()
        except InvalidError as error:
            condition = Condition("False", "PipelineValidationFailed", str(error))
        except (RunError, ResolveError) as error:
            await self._end_all("TaskRunCancelled", "the PipelineRun cannot go on")
            condition = Condition("False", error.reason, self._around.setting.masker.mask_text(str(error)))
        run.finished = times.now()
        run.status["completionTime"] = times.written(run.finished)
        run.status["childReferences"] = status.child_references(run)
        run.status["conditions"] = [condition.to_json()]
        self._tell(
            events.RunFinished, uid=run.uid, pipeline=run.pipeline_name, status=run.status, started=run.started,
            trace=run.trace, span=run.span,
        )  # fmt: skip

    async def _prepared(self) -> Condition:
        run = self.run
        await self._resolve()
        values = self._values()
        knowledge = Knowledge(run.pipeline, values)
        try:
            graph = build(run.pipeline.get("tasks") or [])
        except GraphError as error:
            raise RunError("PipelineInvalidGraph", str(error)) from None
        schedule = Schedule(
            graph,
            list(knowledge.final),
            knowledge.examine,
            lambda: self._before_finally(schedule, knowledge),
        )
        self._schedule = schedule
        knowledge.states = schedule.states
        names = (*knowledge.tasks, *knowledge.final)
        self._tell(events.RunStarted, uid=run.uid, pipeline=run.pipeline_name, tasks=names, trace=run.trace)
        children = Children(run, knowledge, self._around.references)
        limits = asyncio.ensure_future(self._expire(timing.of(run.spec)))
        try:
            await self._loop(schedule, knowledge, children)
        finally:
            limits.cancel()
            run.status["skippedTasks"] = status.skipped_tasks(schedule, knowledge)
        found = status.results(run.pipeline, knowledge)
        condition = self._condition(schedule)
        if found and self._timed_out != "pipeline":
            run.status["results"] = found
        return condition

    def _before_finally(self, schedule: Schedule, knowledge: Knowledge) -> None:
        knowledge.learn_states(schedule.states, self._reasons)
        catalog = self._around.setting.catalog
        knowledge.learn_defaults({name: _declared(task, catalog) for name, task in knowledge.tasks.items()})

    async def _resolve(self) -> None:
        run = self.run
        if run.spec.get("pipelineSpec") is not None:
            run.pipeline = run.spec["pipelineSpec"]
        else:
            found = await self._around.references.pipeline(run.spec["pipelineRef"])
            run.pipeline, run.pipeline_name, run.source = found.spec, found.name, found.source
        run.status["pipelineSpec"] = run.pipeline
        if run.source:
            run.status["provenance"] = {"refSource": run.source}
        self._workspaces()

    def _workspaces(self) -> None:
        given = {one["name"] for one in self.run.spec.get("workspaces") or []}
        for one in self.run.pipeline.get("workspaces") or []:
            if one["name"] not in given and not one.get("optional"):
                raise RunError(
                    "InvalidWorkspaceBindings",
                    f"PipelineRun {self.run.namespace}/{self.run.name} doesn't bind Pipeline "
                    f"{self.run.pipeline_name or self.run.name}'s Workspaces correctly: pipeline requires workspace "
                    f'with name "{one["name"]}" be provided by pipelinerun',
                )

    def _values(self) -> Values:
        run = self.run
        found = parameters.given(run.spec.get("params") or [], self._around.setting.catalog)
        owner = f"PipelineRun {run.namespace}/{run.name}"
        params = {**found, **parameters.settle(run.pipeline.get("params") or [], found, owner)}
        values = parameters.values(params)
        bound = {one["name"] for one in run.spec.get("workspaces") or []}
        for one in run.pipeline.get("workspaces") or []:
            values.strings[f"workspaces.{one['name']}.bound"] = "true" if one["name"] in bound else "false"
        values.strings |= {
            "context.pipelineRun.name": run.name, "context.pipelineRun.namespace": run.namespace,
            "context.pipelineRun.uid": run.uid, "context.pipeline.name": run.pipeline_name or run.name,
        }  # fmt: skip
        return values

    async def _loop(self, schedule: Schedule, knowledge: Knowledge, children: Children) -> None:
        told: set[str] = set()
        while True:
            self._obey(schedule)
            for name in schedule.advance():
                await self._start(name, schedule, knowledge, children)
            for name in schedule.skipped.keys() - told:
                told.add(name)
                self._tell(events.TaskSkipped, task=name, reason=schedule.skipped[name])
            if schedule.in_finally and "finallyStartTime" not in self.run.status and knowledge.final:
                self.run.status["finallyStartTime"] = times.written(times.now())
            if schedule.done and not self._tasks:
                return
            await self._something()
            ended, self._ended = self._ended, []
            for done in ended:
                schedule.settle(self._tasks.pop(done), done.result())

    async def _something(self) -> None:
        """Until a task ends or somebody asks for something."""
        await self._wake.wait()
        self._wake.clear()

    def _over(self, task: asyncio.Task[State]) -> None:
        self._ended.append(task)
        self._wake.set()

    def _obey(self, schedule: Schedule) -> None:
        """Do what was asked for, and what the clock says."""
        name = self.run.name
        if self._timed_out == "pipeline":
            schedule.halt(scheduling.PIPELINE_TIMEOUT)
            self._stop_running(f"TaskRun cancelled as the PipelineRun {name} it belongs to has timed out.")
        elif self._asked == CANCEL:
            schedule.halt(scheduling.CANCELLED)
            self._stop_running(f"TaskRun cancelled as the PipelineRun {name} it belongs to has been cancelled.")
        elif self._asked == CANCEL_FINALLY and not schedule.in_finally:
            schedule.stop(scheduling.CANCELLED)
            self._stop_running(f"TaskRun cancelled as the PipelineRun {name} it belongs to has been cancelled.")
        elif self._asked == STOP and not schedule.in_finally:
            schedule.stop(scheduling.STOPPED)
        if self._timed_out == "tasks" and not schedule.in_finally:
            schedule.stop(scheduling.TASKS_TIMEOUT)
            self._stop_running(f"TaskRun cancelled as the tasks of PipelineRun {name} have timed out.")
        elif self._timed_out == "finally" and schedule.in_finally:
            self._stop_running(f"TaskRun cancelled as the finally tasks of PipelineRun {name} have timed out.")

    def _stop_running(self, message: str) -> None:
        for name in self._tasks.values():
            for control in self._controls.get(name, []):
                control.stop("TaskRunCancelled", message)
        for inner in self._inner:
            inner.ask(CANCEL)

    async def _start(self, name: str, schedule: Schedule, knowledge: Knowledge, children: Children) -> None:
        kept = self._around.kept.get(name)
        if kept:
            self.run.children[name] = list(kept)
            self._learn(name, list(kept), knowledge)
            schedule.settle(name, State.SUCCEEDED)
            self._reasons[name] = "Succeeded"
            self._wake.set()
            return
        made = await children.make(name)
        self.run.children[name] = made
        self._controls[name] = [Control() for _ in made]
        task = asyncio.ensure_future(self._run_all(name, made, knowledge))
        self._tasks[task] = name
        task.add_done_callback(self._over)

    async def _run_all(self, name: str, made: list[Child], knowledge: Knowledge) -> State:
        results = await asyncio.gather(
            *(self._run_one(child, control) for child, control in zip(made, self._controls[name], strict=True)),
            return_exceptions=True,
        )
        for error in results:
            if isinstance(error, BaseException):
                raise error
        self._learn(name, made, knowledge)
        conditions = [child.condition for child in made]
        bad = [one for one in conditions if not one.succeeded]
        self._reasons[name] = (bad or conditions)[0].reason
        if not bad:
            return State.SUCCEEDED
        if any(one.reason in ("TaskRunCancelled", "CustomRunCancelled", "Cancelled") for one in bad):
            return State.CANCELLED
        if knowledge.replaced(name, "onError").get("onError") == "continue":
            for child in made:
                _ignored(child)
            return State.IGNORED
        return State.FAILED

    async def _run_one(self, child: Child, control: Control) -> None:
        if isinstance(child, TaskRun):
            await self._around.run_task(child, control)
        elif isinstance(child, PipelineRun):
            inner = PipelineRunner(
                child,
                Surroundings(self._around.setting, self._around.references, self._around.run_task, self._around.custom),
            )
            self._inner.append(inner)
            await inner()
            self._inner.remove(inner)
        else:
            await self._custom(child, control)

    async def _custom(self, child: CustomRun, control: Control) -> None:
        form = child.spec.get("customRef") or child.spec.get("customSpec") or {}
        handler = self._around.custom.get((form.get("apiVersion", ""), form.get("kind", "")))
        if handler is None:
            known = ", ".join(f"{kind} ({version})" for version, kind in self._around.custom) or "none"
            child.status["conditions"] = [
                Condition(
                    "False",
                    "Failed",
                    f"nobody here runs {form.get('kind')} ({form.get('apiVersion')}); there are: {known}",
                ).to_json()
            ]
            return
        child.status["startTime"] = times.written(times.now())
        await handler(child, control)
        child.status["completionTime"] = times.written(times.now())

    def _learn(self, name: str, made: list[Child], knowledge: Knowledge) -> None:
        found = [list(child.status.get("results") or []) for child in made]
        sections = ("finally",) if name in knowledge.final else ("tasks",)
        for section in sections:
            knowledge.learn_artifacts(name, made[0].status.get("artifacts") or {})
            if knowledge.task(name).get("matrix"):
                knowledge.learn_matrix(name, found, section)
            else:
                knowledge.learn(name, found[0], section)

    def _condition(self, schedule: Schedule) -> Condition:
        run = self.run
        if self._timed_out == "pipeline":
            limit = (run.spec.get("timeouts") or {}).get("pipeline") or "1h0m0s"
            return Condition(
                "False", "PipelineRunTimeout", f'PipelineRun "{run.name}" failed to finish within "{limit}"'
            )
        if self._asked == CANCEL:
            return Condition("False", "Cancelled", f'PipelineRun "{run.name}" was cancelled')
        return status.final(
            schedule, stopped=bool(self._asked) and bool(schedule.skipped or schedule.counts()[State.CANCELLED])
        )

    async def _expire(self, limits: timing.Timeouts) -> None:
        """Wakes the loop when a timeout is over."""

        async def after(seconds: float, what: str) -> None:
            if seconds > 0:
                await asyncio.sleep(seconds)
                if what != "tasks" or not (self._schedule and self._schedule.in_finally):
                    self._timed_out = what if self._timed_out != "pipeline" else "pipeline"
                    self._wake.set()

        async def finals() -> None:
            if limits.final <= 0:
                return
            while not (self._schedule and self._schedule.in_finally):
                await asyncio.sleep(0.05)
            await after(limits.final, "finally")

        tasks_limit = limits.tasks if limits.tasks != limits.pipeline else 0
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(after(limits.pipeline, "pipeline"), after(tasks_limit, "tasks"), finals())

    async def _end_all(self, reason: str, message: str) -> None:
        for controls in self._controls.values():
            for control in controls:
                control.stop(reason, message)
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell(self, kind: Any, **fields: Any) -> None:
        # A pipeline inside another is a task of that one: its own start and end are not a run's.
        if not self.run.depth:
            self._around.setting.listener(kind(self.run.name, times.now(), **fields))


def _declared(task: dict[str, Any], catalog: Catalog) -> list[dict[str, Any]]:
    """The results that a pipeline task declares, as far as its Task is at hand."""
    name = (task.get("taskRef") or {}).get("name")
    spec = task.get("taskSpec") or ((catalog.find("Task", name) or {}).get("spec") if name else None) or {}
    return spec.get("results") or [] if not task.get("matrix") else []


def _ignored(child: Child) -> None:
    for one in child.status.get("conditions") or []:
        if one["status"] == "False":
            one["reason"] = "FailureIgnored"
