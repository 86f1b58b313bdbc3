"""One step: whether it runs, the process, its time limit, its exit, its results."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import durations, events, times, tracing, whens
from pilothouse.delivery.pipelines.errors import RunError
from pilothouse.delivery.pipelines.executors.launching import Launch
from pilothouse.delivery.pipelines.executors.limiting import Limited
from pilothouse.delivery.pipelines.executors.spawning import Child, Exit, SpawnError, finish, spawn
from pilothouse.delivery.pipelines.executors.standing import take
from pilothouse.delivery.pipelines.tasks import results
from pilothouse.delivery.pipelines.tasks.control import Control
from pilothouse.delivery.pipelines.tasks.foreign import refuse
from pilothouse.delivery.pipelines.tasks.launches import Launches
from pilothouse.delivery.pipelines.tasks.layout import Layout
from pilothouse.delivery.pipelines.tasks.names import step_name
from pilothouse.delivery.pipelines.tasks.output import Copy, Output
from pilothouse.delivery.pipelines.tasks.preparing import Prepared, step_values
from pilothouse.delivery.pipelines.tasks.request import TaskRun
from pilothouse.delivery.pipelines.tasks.setting import Setting
from pilothouse.delivery.pipelines.variables import Values, replace


@dataclass(slots=True)
class StepState:
    """How a step went; `to_json` is Tekton's StepState."""

    name: str
    image: str = ""
    code: int = 0
    reason: str = "Completed"
    why: str = "Completed"
    message: str = ""
    started: int = 0
    finished: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        ended: dict[str, Any] = {
            "exitCode": self.code, "finishedAt": times.written(self.finished), "reason": self.reason,
            "startedAt": times.written(self.started),
        }  # fmt: skip
        if self.message:
            ended["message"] = self.message
        found: dict[str, Any] = {
            "container": f"step-{self.name}", "imageID": self.image, "name": self.name, "terminated": ended,
            "terminationReason": self.why,
        }  # fmt: skip
        for name in ("results", "inputs", "outputs"):
            if value := getattr(self, name):
                found[name] = value
        return found


class StepRunner:
    """Runs the steps of one attempt, one after the other."""

    def __init__(
        self, run: TaskRun, prepared: Prepared, layout: Layout, launches: Launches, setting: Setting, control: Control,
        span: str,
    ) -> None:  # fmt: skip
        self._run = run
        self._prepared = prepared
        self._layout = layout
        self._launches = launches
        self._setting = setting
        self._control = control
        self._span = span
        self._breakpoints = (run.spec.get("debug") or {}).get("breakpoints") or {}
        self.values = Values()
        self.more: dict[str, str] = {}
        self.problems: list[str] = []

    async def run(self, index: int, step: dict[str, Any]) -> StepState:
        """Run step `index`. Raises `RunError` where the step cannot be started at all."""
        name = step_name(step, index)
        ready = replace(step, self._known(step, index))
        if self._setting.foreign:
            refuse(name, ready, self._written(index), self._setting.foreign)
        state = StepState(name, started=times.now())
        if not self._wanted(ready):
            state.why, state.finished = "Skipped", times.now()
            self._layout.exited(index, 0)
            return state
        span = tracing.new_span()
        more = {**self._setting.environment, "PILOTHOUSE_TASK_RUN": self._run.uid, **self.more}
        if self._run.trace:
            more["TRACEPARENT"] = tracing.parent(self._run.trace, span)
        launch = self._launches.launch(name, ready, index, more)
        state.image = self._launches.meaning(name, ready).identity
        self._tell(events.StepStarted, step=name, command=launch.command)
        exited = await self._process(index, ready, launch, state)
        state.finished = times.now()
        state.code = exited.code
        if exited.code and state.why == "Completed":
            state.why = "Error"
            state.reason = state.reason if state.reason == "OOMKilled" else "Error"
            state.message = state.message or _hint(exited, launch)
        self._layout.exited(index, exited.code)
        self._collect(index, ready, state)
        self._tell(events.StepFinished, step=name, code=state.code, reason=state.why, started=state.started, span=span)
        return state

    def _written(self, index: int) -> dict[str, Any]:
        """The step as it was written, before anything was replaced in it."""
        steps = self._run.task.get("steps") or []
        return dict(steps[index]) if index < len(steps) else {}

    def _known(self, step: dict[str, Any], index: int) -> Values:
        found = self.values.copy()
        found.update(step_values(step, index))
        return found

    def _wanted(self, step: dict[str, Any]) -> bool:
        try:
            return whens.hold(step.get("when") or [])
        except whens.WhenError as error:
            raise RunError("TaskRunValidationFailed", f"step {step.get('name', '')}: {error}") from None

    async def _process(self, index: int, step: dict[str, Any], launch: Launch, state: StepState) -> Exit:
        output = Output(
            f"{self._setting.logs(self._run)}.{state.name}.{self._run.attempt}.log", self._setting.masker,
            lambda data: self._tell(events.StepOutput, step=state.name, data=data),
        )  # fmt: skip
        out, err = self._copies(step, launch, output)
        started = self._setting.launcher.prepare(launch)
        if started.note and started.note not in self.problems:
            self.problems.append(started.note)
        if state.name in (self._breakpoints.get("beforeSteps") or []):
            held = await self._pause(index, state, launch, Exit(1), before=True)
            if held.code:
                state.message = "told to fail at the breakpoint before it"
                self._close(output, out, err)
                return held
        limits = self._setting.launcher.limits(launch.limits)
        standing = take(limits) if started.isolated else None
        try:
            with standing.limited if standing else Limited(limits, f"{self._run.uid[:8]}-{state.name}") as limited:
                child = standing.run(started, out, err) if standing else spawn(limited.wrap(started), out, err)
                exited = await self._until(child, step, state)
                if exited.code and limited.out_of_memory():
                    state.reason = "OOMKilled"
                if exited.code and (self._setting.breakpoints or self._breakpoints.get("onFailure") == "enabled"):
                    exited = await self._pause(index, state, launch, exited)
                return exited
        except SpawnError as error:
            output.say(f"pilothouse: {error}")
            state.message = str(error)
            return Exit(error.code)
        finally:
            self._close(output, out, err)
            if self._control.asked or state.why == "TimeoutExceeded":
                await finish(self._setting.launcher.finish(launch.container))

    def _close(self, output: Output, *sinks: Any) -> None:
        output.close()
        for sink in sinks:
            if sink is not None and sink.__self__ is not output:
                sink.__self__.close()
        if output.problem and output.problem not in self.problems:
            self.problems.append(output.problem)

    def _copies(self, step: dict[str, Any], launch: Launch, output: Output) -> tuple[Any, Any]:
        """Where stdout and stderr go: to the log, and to the file that the step names."""
        paths = [(step.get(field) or {}).get("path") for field in ("stdoutConfig", "stderrConfig")]
        if not any(paths):
            return output.feed, None
        return tuple(_Tee(output, _real(path, launch)).feed for path in paths)  # type: ignore[return-value]

    async def _until(self, child: Child, step: dict[str, Any], state: StepState) -> Exit:
        """The end of the process, of its time, or of the run, whichever comes first."""
        limit = durations.seconds(step["timeout"]) if step.get("timeout") else 0
        exited = asyncio.ensure_future(child.wait())
        asked = asyncio.ensure_future(self._control.wait())
        try:
            await asyncio.wait({exited, asked}, timeout=limit or None, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                return exited.result()
            if self._control.asked:
                state.why = state.reason = self._control.reason
                state.message = self._control.message
            else:
                state.why = "TimeoutExceeded"
                state.reason = "Error"
                state.message = f"the step took longer than its timeout of {step['timeout']}"
            found = await child.stop(self._setting.grace)
            return found if found.code else Exit(1)
        finally:
            for one in (exited, asked):
                one.cancel()
            child.kill()

    async def _pause(self, index: int, state: StepState, launch: Launch, exited: Exit, *, before: bool = False) -> Exit:
        """Wait at a breakpoint: a success when told to go on, `exited` when told to fail or when the run ends."""
        release = self._layout.root / f"breakpoint-{'before-' if before else ''}{index}"
        shell = self._setting.launcher.shell(launch)
        self._tell(
            events.Paused, step=state.name, release=str(release), shell=shell.command, before=before,
            environment=shell.environment, directory=shell.directory,
        )  # fmt: skip
        while not self._control.asked:
            with contextlib.suppress(OSError):
                if word := release.read_text().strip():
                    return Exit(0) if word == "continue" else exited
            await asyncio.sleep(0.1)
        return exited

    def _collect(self, index: int, step: dict[str, Any], state: StepState) -> None:
        """The step's own results and artifacts, for the steps after it."""
        directory = self._layout.step_directory(index)
        if declared := step.get("results"):
            state.results = results.read(directory / "results", declared, strict=self._setting.strict)
            self.values.update(results.values(state.results, f"steps.{state.name}.results"))
        for name, found in artifacts(directory / "artifacts" / "provenance.json").items():
            setattr(state, name, found)
            self.values.strings[f"steps.{state.name}.{name}"] = json.dumps(found)
            for one in found:
                self.values.strings[f"steps.{state.name}.{name}.{one.get('name')}"] = json.dumps(one.get("values"))

    def _tell(self, kind: Any, **fields: Any) -> None:
        run = self._run
        self._setting.listener(
            kind(
                run.pipeline_run or run.name,
                times.now(),
                task=run.pipeline_task or run.name,
                task_run=run.name,
                **fields,
            )
        )


class _Tee:
    """Bytes to the log and to a file."""

    def __init__(self, output: Output, path: Path | None) -> None:
        self._output = output
        self._copy = Copy(path)

    def feed(self, chunk: bytes) -> None:
        self._copy.feed(chunk)
        self._output.feed(chunk)

    def close(self) -> None:
        self._copy.close()


def artifacts(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The inputs and outputs in a provenance file; nothing for one that is not there or is not what it should be."""
    try:
        found = json.loads(path.read_bytes())
        return {
            name: list(found[name])
            for name in ("inputs", "outputs")
            if isinstance(found.get(name), list) and found[name]
        }
    except (OSError, ValueError, AttributeError):
        return {}


def _real(path: str | None, launch: Launch) -> Path | None:
    if not path:
        return None
    for mount in sorted(launch.mounts, key=lambda mount: -len(mount.target)):
        if path.startswith(mount.target + "/"):
            return Path(str(mount.source) + path[len(mount.target) :])
    return Path(path)


def _hint(exited: Exit, launch: Launch) -> str:
    if exited.code == 127:
        return f"a program was not found; {launch.image} stands for the tools of this machine here"
    return f"ended by signal {exited.signal}" if exited.signal else ""
