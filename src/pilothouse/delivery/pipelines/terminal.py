"""A run on a terminal: lines of steps as they come, and a tree of tasks with times at the end."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, TextIO

from pilothouse.delivery.pipelines import conditions, durations, events
from pilothouse.delivery.pipelines.events import Event

_COLOURS = (36, 33, 35, 34, 32, 96, 93, 95)
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t\r\x1b"}
_MARKS = {"True": ("✓", 32), "False": ("✗", 31), "Skipped": ("-", 90), "Unknown": ("…", 33)}


class Terminal:
    """Shows the events of runs. Without a terminal there are no colours."""

    def __init__(self, out: TextIO = sys.stdout, *, quiet: bool = False, colours: bool | None = None) -> None:
        self._out = out
        self._quiet = quiet
        self._coloured = out.isatty() if colours is None else colours
        self._prefixes: dict[str, str] = {}
        self._spans: dict[str, tuple[int, int, bool]] = {}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, events.StepOutput) and not self._quiet:
            self._lines(event)
        elif isinstance(event, events.TaskStarted) and event.attempt:
            self.note(f"{event.task_run}: attempt {event.attempt + 1}")
        elif isinstance(event, events.TaskFinished):
            self._spans[event.task_run] = (event.started, event.at, event.cached)
        elif isinstance(event, events.Paused):
            self._paused(event)

    def note(self, text: str) -> None:
        """A line of our own, on stderr."""
        sys.stderr.write(f"{self._paint(text, 90)}\n")
        sys.stderr.flush()

    def _paused(self, event: events.Paused) -> None:
        """At a breakpoint: a shell where the step was, or word of how to go on where nobody sits at the terminal."""
        what = f"before step {event.step}" if event.before else f"step {event.step} failed"
        self.note(f"{event.task_run}: stopped at a breakpoint: {what}")
        if not sys.stdin.isatty():
            self.note(f"  go on with: echo continue > {event.release}   (or: echo fail)")
            return
        goes_on = "runs the step" if event.before else "goes on as if it had succeeded"
        self.note(f"  a shell where the step {'will be' if event.before else 'was'}; exit 0 {goes_on}, exit 1 fails it")
        done = subprocess.run(
            event.shell, env={**event.environment, "PS1": "(step) $ "}, cwd=event.directory, check=False
        )
        with open(event.release, "w") as release:
            release.write("continue" if done.returncode == 0 else "fail")

    def tree(self, body: dict[str, Any], task_runs: list[dict[str, Any]]) -> str:
        """The run with its tasks and steps, each with its time and what became of it."""
        status = body.get("status") or {}
        lines = [self._head(body, status)]
        children = {one["metadata"]["name"]: one for one in task_runs}
        rows = status.get("childReferences") or [{"name": body["metadata"]["name"], "pipelineTaskName": ""}]
        skipped = status.get("skippedTasks") or []
        for index, row in enumerate(rows):
            last = index + 1 == len(rows) and not skipped
            lines += self._task(row, children.get(row["name"]), last)
        for index, one in enumerate(skipped):
            branch = "└─" if index + 1 == len(skipped) else "├─"
            lines.append(f"{branch} {self._mark('Skipped')} {one['name']}  {self._paint(one['reason'], 90)}")
        for one in status.get("results") or []:
            lines.append(f"   {one['name']} = {_short(one['value'])}")
        return "\n".join(lines)

    def _head(self, body: dict[str, Any], status: dict[str, Any]) -> str:
        found = conditions.of(status)
        time = _between(status.get("startTime"), status.get("completionTime"))
        head = f"{self._mark(found.status)} {body['metadata']['name']}  {found.reason}  {time}"
        return f"{head}\n  {found.message}" if found.message and not found.succeeded else head

    def _task(self, row: dict[str, Any], run: dict[str, Any] | None, last: bool) -> list[str]:
        branch, below = ("└─", "   ") if last else ("├─", "│  ")
        name = row.get("displayName") or row.get("pipelineTaskName") or row["name"]
        if run is None:
            return [f"{branch} {self._mark('Unknown')} {name}"]
        status = run.get("status") or {}
        found = conditions.of(status)
        times = self._spans.get(row["name"])
        took = (
            durations.written(round((times[1] - times[0]) / 1e9, 2))
            if times
            else _between(status.get("startTime"), status.get("completionTime"))
        )
        cached = " (cached)" if times and times[2] else ""
        reason = "" if found.succeeded else f"  {found.reason}: {found.message}"
        tries = f"  {len(status['retriesStatus']) + 1} attempts" if status.get("retriesStatus") else ""
        lines = [f"{branch} {self._mark(found.status)} {name}  {self._paint(took + cached, 90)}{tries}{reason}"]
        if not found.succeeded:
            for step in status.get("steps") or []:
                code = (step.get("terminated") or {}).get("exitCode", 0)
                word = step.get("terminationReason", "")
                mark = "Skipped" if word == "Skipped" else "False" if code else "True"
                lines.append(
                    f"{below}   {self._mark(mark)} {step['name']}  {f'exit code {code}' if mark == 'False' else word}"
                )
        return lines

    def _lines(self, event: events.StepOutput) -> None:
        prefix = self._prefix(event.task_run if event.task_run != event.run else "", event.task, event.step)
        text = event.data.decode("utf-8", "replace").translate(_CONTROLS)
        shown = "".join(f"{prefix}{line}\n" for line in text.rstrip("\n").split("\n"))
        try:
            self._out.write(shown)
            self._out.flush()
        except BrokenPipeError:
            self._quiet = True

    def _prefix(self, task_run: str, task: str, step: str) -> str:
        key = f"{task_run} {step}"
        if key not in self._prefixes:
            name = f"[{task} : {step}] " if task_run else f"[{step}] "
            self._prefixes[key] = self._paint(name, _COLOURS[len(self._prefixes) % len(_COLOURS)])
        return self._prefixes[key]

    def _mark(self, status: str) -> str:
        sign, colour = _MARKS.get(status, _MARKS["Unknown"])
        return self._paint(sign, colour)

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text


def _between(start: str | None, end: str | None) -> str:
    from datetime import datetime

    if not start or not end:
        return ""
    length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return durations.written(length.total_seconds())


def _short(value: Any) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.rstrip("\n").replace("\n", "\\n").translate(_CONTROLS)
    return text if len(text) <= 200 else text[:200] + "…"
