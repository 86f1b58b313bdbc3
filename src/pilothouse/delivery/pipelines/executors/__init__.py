"""Where steps run: as plain processes, in a sandbox, in containers, or on Kubernetes, behind one interface.

An executor's `Launcher` turns a prepared step into a command of this machine (`launching.py`); what an image meant
there is said by `ImageMeaning` and kept in the status. Kubernetes runs whole runs (`kubernetes.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.delivery.pipelines.executors.launching import Launcher

NAMES = ("process", "sandbox", "containers", "kubernetes")


def launcher(name: str, images: Sequence[str] = (), passed: Sequence[str] = (), *, network: bool = True) -> Launcher:
    """The launcher of that name, with `NAME=SPEC` additions to the image map. Raises `ResolveError`."""
    from pilothouse.delivery.pipelines.errors import ResolveError
    from pilothouse.delivery.pipelines.executors.images import ImageMap, parse

    try:
        known = ImageMap(dict(parse(text) for text in images))
    except ValueError as error:
        raise ResolveError(f"--image: {error}", "TaskRunImagePullFailed") from None
    if name == "process":
        from pilothouse.delivery.pipelines.executors.process import ProcessLauncher

        return ProcessLauncher(known, passed=passed)
    if name == "sandbox":
        from pilothouse.delivery.pipelines.executors.sandbox import SandboxLauncher

        return SandboxLauncher(known, passed=passed, network=network)
    if name == "containers":
        from pilothouse.delivery.pipelines.executors.containers import ContainerLauncher

        return ContainerLauncher(network=network)
    raise ResolveError(f"--executor: {name!r} is not {', '.join(NAMES)}", "PodCreationFailed")
