"""Jobs in a sandbox that has the change's checkout and nothing else of this machine."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pilothouse.delivery.pipelines import executors
from pilothouse.delivery.pipelines.executors.images import ImageMeaning
from pilothouse.delivery.pipelines.executors.launching import Launch, Launcher, Limits, Mount, Started, another

# `sandbox`: without a network; `network`: a sandbox with one; `process`: as everybody's.
Walls = Literal["sandbox", "network", "process"]


@functools.cache
def sandbox(network: bool) -> Launcher:
    """The sandbox. Raises `ResolveError` where there is none: nothing less is taken instead."""
    return executors.launcher("sandbox", network=network)


class Confined:
    """A sandbox in which a directory is at its own place."""

    def __init__(self, inner: Launcher, directory: Path) -> None:
        self._inner, self._directory = inner, directory
        self.name, self.needs = inner.name, inner.needs

    def meaning(self, image: str, step: str = "", has_command: bool = True) -> ImageMeaning:
        """See `Launcher`."""
        return self._inner.meaning(image, step, has_command)

    def prepare(self, launch: Launch) -> Started:
        """See `Launcher`."""
        mount = Mount(self._directory, str(self._directory))
        return self._inner.prepare(replace(launch, mounts=(mount, *launch.mounts)))

    def beside(self, launch: Launch, command: tuple[str, ...]) -> Started:
        """See `Launcher`."""
        return self.prepare(another(launch, command))

    def shell(self, launch: Launch) -> Started:
        """See `Launcher`."""
        mount = Mount(self._directory, str(self._directory))
        return self._inner.shell(replace(launch, mounts=(mount, *launch.mounts)))

    def limits(self, limits: Limits) -> Limits:
        """See `Launcher`."""
        return self._inner.limits(limits)

    def finish(self, name: str) -> Sequence[str]:
        """See `Launcher`."""
        return self._inner.finish(name)
