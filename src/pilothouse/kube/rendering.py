"""Charts and kustomizations, rendered by their own tools."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pilothouse.kube.errors import RenderingError

_TIMEOUT = 120
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def is_chart(directory: Path) -> bool:
    """Whether a directory is a Helm chart."""
    return (directory / "Chart.yaml").is_file()


def is_kustomization(directory: Path) -> bool:
    """Whether a directory is to be built by Kustomize."""
    return any((directory / name).is_file() for name in KUSTOMIZATIONS)


def render_chart(directory: Path, values: Sequence[Path] = (), release: str = "release", kubernetes: str = "") -> str:
    """The chart's manifests with its default values and the given value files; raises `RenderingError`."""
    helm = shutil.which("helm")
    if not helm:
        raise RenderingError(f"{directory}: is a Helm chart, and `helm` is not installed: templates were not checked")
    command = [helm, "template", release, str(directory.resolve())]
    for path in values:
        command += ["--values", str(path.resolve())]
    if kubernetes:
        command += ["--kube-version", kubernetes]
    return _run(command, directory)


def build_kustomization(directory: Path) -> str:
    """What `kubectl kustomize` (or `kustomize build`) makes of a directory; raises `RenderingError`."""
    for tool, verb in (("kubectl", "kustomize"), ("kustomize", "build")):
        if path := shutil.which(tool):
            return _run([path, verb, str(directory.resolve())], directory)
    raise RenderingError(
        f"{directory}: is a kustomization, and neither `kubectl` nor `kustomize` is installed: it was not checked"
    )


def _run(command: list[str], directory: Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RenderingError(f"{directory}: {error}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"{command[0]} ended with {done.returncode}"
        raise RenderingError(f"{directory}: {' '.join(said.split())[-600:]}")
    return done.stdout.decode(errors="replace")
