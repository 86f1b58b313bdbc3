"""Tells on stderr what the demo is doing: a live list of steps on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text


class Narration(Protocol):
    """Tells the steps of the demo, one after the other."""

    def step(self, title: str, seconds: float = 0) -> contextlib.AbstractContextManager["Step"]:
        """A step; `seconds` is how long it takes when that is known. Ends with the block."""


class Step(Protocol):
    """One step that is under way."""

    def say(self, detail: str) -> None:
        """What happens now, or what came out."""


@contextlib.contextmanager
def narrate() -> Iterator[Narration]:
    """The narration that fits where stderr goes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainNarration(console)
        return
    with Progress(*columns(), console=console) as progress:
        yield LiveNarration(progress)


def columns() -> tuple[ProgressColumn, ...]:
    """What a row of the live list shows: state, title, bar, time, detail."""
    detail = TextColumn("[dim]{task.fields[detail]}")
    return SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"), _Bar(), _Seconds(), detail


class PlainNarration:
    """Two lines a step: when it begins and when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._said = ""

    @contextlib.contextmanager
    def step(self, title: str, seconds: float = 0) -> Iterator[Step]:
        """Tells the beginning, the details and the end, each with the time since the demo's start."""
        began = time.monotonic()
        self.say(f"{title} ({seconds:.0f} s) ..." if seconds else f"{title} ...")
        yield self
        self.say(f"{title}: done in {time.monotonic() - began:.1f} s")

    def say(self, detail: str) -> None:
        """One line; what was just said, or nothing, is not said again."""
        if detail in ("", self._said):
            return
        self._said = detail
        line = f"{time.monotonic() - self._start:6.1f} s  {detail}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveNarration:
    """A list of steps with a spinner, the time and, where the length is known, a bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @contextlib.contextmanager
    def step(self, title: str, seconds: float = 0) -> Iterator[Step]:
        """Shows the step until the block ends; a block that fails leaves it unfinished."""
        task = self._progress.add_task(title, total=None, detail="", seconds=seconds)
        yield LiveStep(self._progress, task)
        self._progress.update(task, total=1, completed=1)


class LiveStep:
    """One row of the list."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def say(self, detail: str) -> None:
        """Replaces the row's detail."""
        self._progress.update(self._task, detail=detail.replace("[", r"\["))


class _Seconds(ProgressColumn):
    def render(self, task: Task) -> Text:
        taken = task.finished_time if task.finished else task.elapsed
        return Text(f"{taken or 0:5.1f} s", "progress.elapsed")


class _Bar(ProgressColumn):
    """How much of the known length of a step has passed."""

    def render(self, task: Task) -> ProgressBar | Text:
        seconds = task.fields["seconds"]
        if not seconds or task.finished:
            return Text("")
        return ProgressBar(seconds, min(task.elapsed or 0, seconds), width=20)
