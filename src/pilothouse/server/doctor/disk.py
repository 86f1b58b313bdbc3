"""The data directory: permissions, space, journal, control plane."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.server.doctor.model import Finding, failed, ok, warning

if TYPE_CHECKING:
    from pilothouse.server.config import Config

_FULL, _NEARLY = 0.02, 0.10
_BACKLOG = 0.5


def examine(config: Config) -> Iterator[Finding]:
    """What can be seen of the directory without opening the store."""
    yield _directory(config.data)
    yield _space(config.data)
    if config.data.is_dir() and os.access(config.data, os.R_OK | os.X_OK):
        yield from _parts(config.data)
        yield _journal(config)
        yield from _aside(config.data)
        if not config.database:
            yield from _control(config)


def _directory(data: Path) -> Finding:
    if not data.exists():
        parent = next(path for path in data.resolve().parents if path.exists())
        if os.access(parent, os.W_OK):
            return ok("data", f"{data} is not there yet; `pilothouse up` makes it")
        return failed("data", f"{data} cannot be made: {parent} may not be written", "choose another --data")
    if not data.is_dir():
        return failed("data", f"{data} is not a directory", "choose another --data")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return failed("data", f"{data} may not be read and written by this user", f"chown -R {os.getuid()} {data}")
    mode = data.stat().st_mode & 0o777
    if mode & 0o077:
        return warning("data", f"{data} can be read by other users (mode {mode:o})", f"chmod 700 {data}")
    return ok("data", f"{data}, mode {mode:o}")


def _parts(data: Path) -> Iterator[Finding]:
    """What is in the directory and could not be used, as after a start as another user."""
    for name in ("store", "journal"):
        part = data / name
        if part.exists() and not part.is_dir():
            yield failed(name, f"{part} is not a directory", "move it away, or choose another --data")
    for part in sorted(data.iterdir()):
        mode = os.R_OK | os.W_OK | (os.X_OK if part.is_dir() else 0)
        if not part.is_symlink() and not os.access(part, mode):
            remedy = f"chown -R {os.getuid()} {data}"
            yield failed("data", f"{part} may not be read and written by this user", remedy)


def _space(data: Path) -> Finding:
    place = next(path for path in (data, *data.resolve().parents) if path.exists())
    usage = shutil.disk_usage(place)
    free = usage.free / usage.total
    said = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free ({free:.0%})"
    remedy = "shorten `retention`, enlarge the disk, or move `--data`; when it is full, telemetry is refused with 503"
    if free < _FULL or usage.free < 500_000_000:
        return failed("disk", said, remedy)
    return warning("disk", said, remedy) if free < _NEARLY else ok("disk", said)


def _journal(config: Config) -> Finding:
    sizes = dict[str, int]()
    for file in (config.data / "journal").glob("*.segment"):
        kind = file.name.rpartition("-")[0]
        sizes[kind] = sizes.get(kind, 0) + _size(file)
    kind, most = max(sizes.items(), key=lambda one: one[1], default=("", 0))
    said = f"{sum(sizes.values()) / 1e6:.1f} MB wait to be stored"
    if most > _BACKLOG * config.journal_bytes:
        remedy = "see the log for why the store does not take it: disk, memory, or more comes than it can store"
        return warning("journal", f"{said}, most of it {kind}; {config.journal_bytes / 1e6:.0f} MB may", remedy)
    return ok("journal", said)


def _aside(data: Path) -> Iterator[Finding]:
    if files := list((data / "journal" / "aside").glob("*.segment")):
        size = sum(map(_size, files))
        yield warning(
            "set aside",
            f"{len(files)} files with {size / 1e6:.1f} MB were refused by the store, or were damaged",
            f"the log says why; report it with a file of {files[0].parent}, then delete them",
        )


def _control(config: Config) -> Iterator[Finding]:
    file = config.data / "control.db"
    if not file.is_file():
        return
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as database:
            said = database.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said == "ok":
        yield ok("control plane", f"{file.name} is whole, {_size(file) / 1e6:.1f} MB")
    else:
        yield failed("control plane", f"{file}: {said}", _restoring(config))


def _restoring(config: Config) -> str:
    """How to go back to the last backup; no server has to run for that, as none may start on what is broken."""
    directory = Path(config.backups) if config.backups else config.data / "backups"
    made = max((file.parent for file in directory.glob("*Z/manifest.json")), default=None)
    if made is None:
        return f"there is no backup in {directory}: move the file away, and begin a new one"
    return f"restore the last backup: pilothouse restore {made} --data NEW, with a directory that is not there yet"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
