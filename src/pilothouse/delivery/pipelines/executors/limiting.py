"""Limits on memory, processors and processes by control groups, where this process may make them; else not at all.

A limit that cannot be set is no error: `effective` says which were.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from pilothouse.delivery.pipelines.executors.launching import Limits, Started

_ROOT = Path("/sys/fs/cgroup")
# The shell that joins the groups must come after sh -c: a process cannot be moved before it has begun to fork.
_JOIN = (
    'for group in $PILOTHOUSE_CGROUPS; do echo $$ >"$group/cgroup.procs" || exit 125; done; '
    'unset PILOTHOUSE_CGROUPS; exec "$@"'
)


class Limited:
    """Control groups for one step, made on entry and removed at the end."""

    def __init__(self, limits: Limits, name: str) -> None:
        self._limits = limits
        self._name = f"pilothouse-{name}"
        self._groups: list[Path] = []
        self.effective: tuple[str, ...] = ()

    def __enter__(self) -> Limited:
        if self._limits != Limits():
            self.effective = tuple(self._make())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for group in self._groups:
            _end(group)

    @property
    def places(self) -> tuple[str, ...]:
        """The groups' directories."""
        return tuple(map(str, self._groups))

    def wrap(self, started: Started) -> Started:
        """The command, joining the groups before anything else."""
        if not self._groups:
            return started
        environment = {**started.environment, "PILOTHOUSE_CGROUPS": " ".join(self.places)}
        command = (shutil.which("sh") or "/bin/sh", "-c", _JOIN, "sh", *started.command)
        return replace(started, command=command, environment=environment)

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of the step for its memory."""
        for group in self._groups:
            for file in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError, ValueError):
                    for line in (group / file).read_text().splitlines():
                        word, _, count = line.partition(" ")
                        if word == "oom_kill" and int(count):
                            return True
        return False

    def _make(self) -> list[str]:
        wanted = {"pids": self._limits.processes, "memory": self._limits.memory, "cpu": self._limits.processors}
        done: list[str] = []
        for controller, value in wanted.items():
            base = _base(controller) if value else None
            if base is None:
                continue
            group = base / self._name
            try:
                group.mkdir(exist_ok=True)
                _set(group, controller, value)
            except OSError:
                continue
            done.append(controller)
            if group not in self._groups:
                self._groups.append(group)
        return done


def sweep(name: str) -> None:
    """Remove the groups called `pilothouse-NAME-PID-…` of processes that are not there any more."""
    bases = {_base(controller) for controller in ("pids", "memory", "cpu")}
    for group in (group for base in bases if base for group in base.glob(f"pilothouse-{name}-*")):
        pid = group.name.removeprefix(f"pilothouse-{name}-").partition("-")[0]
        if not os.path.exists(f"/proc/{pid}"):
            _end(group)


@functools.cache
def _base(controller: str) -> Path | None:
    """The group below which groups with this controller can be made: version 1 by controller, or version 2."""
    own = _own()
    for base in (_ROOT / controller / own.get(controller, ""), _ROOT / own.get("", "")):
        if not os.access(base / "cgroup.procs", os.W_OK):
            continue
        if base.parent != _ROOT and controller not in own and controller not in _controllers(base):
            continue
        probe = base / f"pilothouse-probe-{os.getpid()}"
        try:
            probe.mkdir()
            usable = (probe / {"pids": "pids.max", "memory": "memory.max", "cpu": "cpu.max"}[controller]).exists() or (
                controller in own
            )
            probe.rmdir()
        except OSError:
            continue
        if usable:
            return base
    return None


def _controllers(base: Path) -> list[str]:
    try:
        return (base / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []


def _own() -> dict[str, str]:
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                found[controller] = path.lstrip("/")
    return found


def _set(group: Path, controller: str, value: float) -> None:
    if controller == "pids":
        (group / "pids.max").write_text(str(int(value)))
    elif controller == "memory":
        newer = group / "memory.max"
        (newer if newer.exists() else group / "memory.limit_in_bytes").write_text(str(int(value)))
    elif (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{max(1000, int(value * 100_000))} 100000")
    else:
        (group / "cpu.cfs_quota_us").write_text(str(max(1000, int(value * 100_000))))


def _end(group: Path) -> None:
    """Kill what is left in a group, and remove it."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            (group / "cgroup.kill").write_text("1")
        with contextlib.suppress(OSError, ValueError):
            for pid in (group / "cgroup.procs").read_text().split():
                os.kill(int(pid), 9)
        try:
            group.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            os.sched_yield()
