"""What all runs of an engine have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.events import Listener, nobody
from pilothouse.delivery.pipelines.executors.launching import Launcher
from pilothouse.delivery.pipelines.masking import Masker
from pilothouse.delivery.pipelines.tasks.request import TaskRun

# How long a step may take to end after SIGTERM.
GRACE = 5.0


@dataclass(slots=True)
class Setting:
    """Where and how TaskRuns run.

    `data` is the directory for what runs leave: logs, kept claims. `directory` is the default working directory of
    steps as they see it. `strict` holds runs to what a real cluster allows. `keep` leaves a run's directories.
    """

    catalog: Catalog
    launcher: Launcher
    data: Path
    action: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
    listener: Listener = nobody
    masker: Masker = field(default_factory=Masker)
    directory: str = "/workspace"
    strict: bool = False
    keep: bool = False
    grace: float = GRACE
    breakpoints: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()

    def scratch(self, uid: str) -> Path:
        """A run's own directory."""
        return self.data / "scratch" / uid

    def logs(self, run: TaskRun) -> str:
        """How the paths of a TaskRun's logs begin: a directory a run, a file a step and attempt."""
        return f"{self.data}/logs/{run.pipeline_run_uid or run.uid}/{run.name}"

    @property
    def claims(self) -> Path:
        """Named claims, which outlive runs."""
        return self.data / "claims"
