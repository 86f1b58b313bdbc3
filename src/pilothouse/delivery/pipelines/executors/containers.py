"""Steps in containers, by podman or docker: here an image is what it says."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from pilothouse.delivery.pipelines.errors import ResolveError
from pilothouse.delivery.pipelines.executors.images import ImageMeaning, Toolchain
from pilothouse.delivery.pipelines.executors.launching import Launch, Limits, Started, another


@functools.cache
def engine() -> str | None:
    """A container engine that answers, podman before docker."""
    for name in ("podman", "docker"):
        found = shutil.which(name)
        if not found:
            continue
        try:
            done = subprocess.run([found, "info"], capture_output=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return found
    return None


class ContainerLauncher:
    """One container a step, removed at its end."""

    name = "containers"
    needs: tuple[str, ...] = ("home",)

    def __init__(self, program: str = "", *, network: bool = True) -> None:
        """`program` is a container engine with docker's command line. Raises `ResolveError` where there is none."""
        found = program or engine()
        if not found:
            raise ResolveError("no containers here: neither podman nor docker answers", "PodCreationFailed")
        self._program = found
        self._network = network

    def meaning(self, image: str, step: str = "", has_command: bool = True) -> ImageMeaning:
        """See `Launcher`: the image itself, with its own entrypoint."""
        return ImageMeaning(image, Toolchain(entrypoint=(), shell="dash"))

    def prepare(self, launch: Launch) -> Started:
        """See `Launcher`."""
        command = [self._program, "run", "--rm", "--name", launch.container, "--workdir", launch.directory]
        command += [] if self._network else ["--network", "none"]
        for mount in launch.mounts:
            command += ["--volume", f"{mount.source}:{mount.target}{':ro' if mount.read_only else ''}"]
        own = self._own()
        for name, value in launch.environment.items():
            # Without a value the engine takes it from its own environment: nobody sees it in the list of processes.
            # What the engine's client needs itself (HOME, for its credentials) must not change for it.
            command += ["--env", f"{name}={value}" if name in own else name]
        if launch.user is not None:
            command += ["--user", f"{launch.user}:{launch.group or 0}"]
        if launch.limits.memory:
            command += ["--memory", str(launch.limits.memory)]
        if launch.limits.processors:
            command += ["--cpus", str(launch.limits.processors)]
        program = launch.command[:1] if launch.script or launch.named else ()
        command += [part for one in program for part in ("--entrypoint", one)]
        command += [launch.image, *launch.command[len(program) :]]
        return Started(tuple(command), {**launch.environment, **own}, None, True)

    def _own(self) -> dict[str, str]:
        """What the engine's client itself needs to know."""
        names = ("PATH", "HOME", "DOCKER_HOST", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
        return {name: os.environ[name] for name in names if name in os.environ}

    def beside(self, launch: Launch, command: tuple[str, ...]) -> Started:
        """See `Launcher`: in the running container."""
        return Started((self._program, "exec", launch.container, *command), self._own(), None, True)

    def shell(self, launch: Launch) -> Started:
        """See `Launcher`: a container of the same image with the same mounts; the step's own is gone when it failed."""
        inside = replace(another(launch, ("sh", "-i")), container=f"{launch.container}-shell")
        started = self.prepare(inside)
        program, run, *rest = started.command
        return replace(started, command=(program, run, "--interactive", "--tty", *rest))

    def limits(self, limits: Limits) -> Limits:
        """The engine sets them."""
        return Limits()

    def finish(self, name: str) -> Sequence[str]:
        """Ends the container where its client was killed."""
        return (self._program, "rm", "--force", name)
