"""Runs YAML through the engine and keeps what happened."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines import (
    Catalog,
    Engine,
    Options,
    ProcessLauncher,
    choose,
    events,
    read_text,
    require,
    to_run,
)
from pilothouse.delivery.pipelines.engine import Run


@dataclass
class Happened:
    """A run and all of its events."""

    run: Run
    events: list[events.Event] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return self.run.condition.reason

    @property
    def message(self) -> str:
        return self.run.condition.message

    @property
    def results(self) -> dict[str, Any]:
        return {one["name"]: one["value"] for one in self.run.results}

    def output(self, task: str = "", step: str = "") -> str:
        """All that steps wrote."""
        return b"".join(
            one.data
            for one in self.events
            if isinstance(one, events.StepOutput) and (not task or one.task == task) and (not step or one.step == step)
        ).decode()

    def order(self) -> list[str]:
        """Tasks in the order in which they started."""
        return [one.task for one in self.events if isinstance(one, events.TaskStarted)]

    def skipped(self) -> dict[str, str]:
        return {one["name"]: one["reason"] for one in self.run.status.get("skippedTasks") or []}

    def task(self, name: str, index: int = 0) -> Any:
        return self.run.children[name][index]  # type: ignore[union-attr]


def run_yaml(text: str, directory: Path, wanted: str = "", launcher: Any = None, **options: Any) -> Happened:
    """Check and run the last run in a YAML text."""
    return asyncio.run(arun_yaml(text, directory, wanted, launcher, **options))


async def arun_yaml(text: str, directory: Path, wanted: str = "", launcher: Any = None, **options: Any) -> Happened:
    """The same inside an event loop."""
    documents = read_text(text)
    require(documents)
    seen: list[events.Event] = []
    chosen = Options(directory, launcher or ProcessLauncher(), seen.append, **options)
    engine = Engine(Catalog(documents), chosen)
    run = to_run(choose(documents, wanted)[-1])
    await engine.run(run)
    return Happened(run, seen)


def pipeline(tasks: str, rest: str = "", run: str = "") -> str:
    """A PipelineRun around indented YAML of tasks."""
    indent = "\n".join("    " + line for line in tasks.strip("\n").splitlines())
    more = "\n".join("    " + line for line in rest.strip("\n").splitlines())
    own = "\n".join("  " + line for line in run.strip("\n").splitlines())
    return f"apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {{name: run}}\nspec:\n{own}\n  pipelineSpec:\n{more}\n    tasks:\n{indent}\n"


def task(steps: str, rest: str = "", run: str = "") -> str:
    """A TaskRun around indented YAML of steps."""
    indent = "\n".join("    " + line for line in steps.strip("\n").splitlines())
    more = "\n".join("    " + line for line in rest.strip("\n").splitlines())
    own = "\n".join("  " + line for line in run.strip("\n").splitlines())
    return f"apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {{name: run}}\nspec:\n{own}\n  taskSpec:\n{more}\n    steps:\n{indent}\n"
