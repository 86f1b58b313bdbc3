"""What happens in a run, told to whoever listens: the terminal, the telemetry, another room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in run `run` (a name) at `at` (nanoseconds since the epoch)."""

    run: str
    at: int


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run began; `tasks` are the names of its pipeline's tasks."""

    uid: str = ""
    kind: str = "PipelineRun"
    pipeline: str = ""
    tasks: tuple[str, ...] = ()
    trace: str = ""


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """Something that happened to TaskRun `task_run` (a name) of the pipeline's task `task`."""

    task: str = ""
    task_run: str = ""


@dataclass(frozen=True, slots=True)
class StepEvent(TaskEvent):
    """Something that happened to one step of a TaskRun."""

    step: str = ""


@dataclass(frozen=True, slots=True)
class TaskStarted(TaskEvent):
    """A TaskRun began, or began anew (`attempt` counts from 0)."""

    attempt: int = 0
    display: str = ""


@dataclass(frozen=True, slots=True)
class StepStarted(StepEvent):
    """A step began."""

    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepOutput(StepEvent):
    """Whole lines of a step, secrets masked."""

    data: bytes = b""


@dataclass(frozen=True, slots=True)
class StepFinished(StepEvent):
    """A step ended."""

    code: int = 0
    reason: str = ""
    started: int = 0
    span: str = ""


@dataclass(frozen=True, slots=True)
class Paused(StepEvent):
    """A breakpoint was reached: the step waits until `release` is written to (`continue` or `fail`).

    `before` tells a breakpoint before the step from one at its failure.
    """

    release: str = ""
    before: bool = False
    shell: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    directory: str | None = None


@dataclass(frozen=True, slots=True)
class TaskFinished(TaskEvent):
    """A TaskRun ended; `status` is Tekton's."""

    status: dict[str, Any] = field(default_factory=dict)
    started: int = 0
    span: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class TaskSkipped(Event):
    """A task will not run, and why."""

    task: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The run ended; `status` is Tekton's."""

    uid: str = ""
    kind: str = "PipelineRun"
    pipeline: str = ""
    status: dict[str, Any] = field(default_factory=dict)
    started: int = 0
    trace: str = ""
    span: str = ""


Listener = Callable[[Event], None]


def nobody(event: Event) -> None:
    """For those who do not listen."""
