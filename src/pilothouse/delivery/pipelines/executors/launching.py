"""The interface between a step and the machine that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pilothouse.delivery.pipelines.executors.images import ImageMeaning


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory or file of this machine (`source`), seen by the step at `target`."""

    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step may use: memory in bytes, processors, processes. 0 is no limit."""

    memory: int = 0
    processors: float = 0.0
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Launch:
    """One step or sidecar, ready to run.

    `command` has paths as the step sees them (`/workspace/…`, `/tekton/…`); `script` is the file with the step's script
    when it has one (it is part of `command` too). `user` is the numeric user that the step asks for.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    mounts: tuple[Mount, ...]
    script: str = ""
    # Whether the step itself says what to run; else it is the image that knows.
    named: bool = True
    shell: str = "ash"
    user: int | None = None
    group: int | None = None
    limits: Limits = field(default_factory=Limits)
    texts: tuple[str, ...] = ()
    # One of its own for each attempt of each step or sidecar: what a container is called.
    container: str = ""

    @property
    def targets(self) -> list[str]:
        """Where something is mounted."""
        return [mount.target for mount in self.mounts]


@dataclass(frozen=True, slots=True)
class Started:
    """A command for this machine: what to execute, with what environment, where.

    `isolated` says that its processes end with the first one; `note` is for people.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    directory: str | None
    isolated: bool = False
    note: str = ""
    rewrites: tuple[tuple[str, str], ...] = ()


def another(launch: Launch, command: tuple[str, ...]) -> Launch:
    """The same place with another command."""
    return replace(launch, command=command, script="", named=True, texts=(*launch.texts, *command))


class Launcher(Protocol):
    """Turns steps into commands of this machine."""

    name: str
    # Directories below /tekton that the launcher needs itself.
    needs: tuple[str, ...]

    def meaning(self, image: str, step: str = "", has_command: bool = True) -> ImageMeaning:
        """What `image` is here. Raises `ResolveError` when the step cannot run with it."""
        ...

    def prepare(self, launch: Launch) -> Started:
        """The command for a step."""
        ...

    def beside(self, launch: Launch, command: tuple[str, ...]) -> Started:
        """Another command where `launch` runs: what a probe of a sidecar asks."""
        ...

    def shell(self, launch: Launch) -> Started:
        """A shell for a person at the terminal where `launch` runs, ran or will run."""
        ...

    def limits(self, limits: Limits) -> Limits:
        """The limits that are ours to set for a step that asks for `limits`."""
        ...

    def finish(self, name: str) -> Sequence[str]:
        """A command that ends what `name` left outside its own processes (a container); empty for none."""
        ...
