"""Making a backup of a server that works.

For each tenant, storing is held while the tables are frozen (milliseconds) and the journal is copied: what was
acknowledged by then is either in the tables or in the journal, and in one of them only. Requests are acknowledged all
the while.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse import __version__
from pilothouse.engine import EngineError
from pilothouse.engine.embedded import EmbeddedEngine
from pilothouse.engine.freezing import Frozen, freeze, keep
from pilothouse.engine.migrating import migrations
from pilothouse.server.backups.manifest import FILE, BackupError, Manifest, read
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.flushing import Intake

_SQLITE = "sqlite:///"
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Source:
    """What of one tenant goes into a backup; `database` is its control plane's SQLAlchemy URL, `forge` the directory
    of the built-in forge.
    """

    engine: Engine
    intake: Intake
    database: str
    forge: Path | None = None


class Backups:
    """The backups of a server, each a directory in one directory. May be used from any thread, one at a time."""

    def __init__(self, directory: Path, sources: Mapping[str, Source]) -> None:
        self.directory, self._sources = directory, sources
        self._lock = threading.Lock()

    def make(self, keep_newest: int = 0) -> tuple[Path, Manifest]:
        """A backup of now; with `keep_newest`, older ones than the newest so many are deleted. Raises `BackupError`."""
        if not self._lock.acquire(blocking=False):
            raise BackupError("a backup is being made; wait for it")
        try:
            made = self._made()
            for old in self.all()[keep_newest:] if keep_newest else ():
                shutil.rmtree(old[0])
            return made
        except OSError as error:
            raise BackupError(f"{self.directory}: {error.strerror or error}") from None
        except EngineError as error:
            raise BackupError(f"the store cannot be frozen: {error}") from None
        finally:
            self._lock.release()

    def all(self) -> list[tuple[Path, Manifest]]:
        """The whole backups, the newest first."""
        found = (path.parent for path in self.directory.glob(f"*/{FILE}") if not path.parent.name.endswith(_PARTIAL))
        return [(path, read(path)) for path in sorted(found, reverse=True)]

    def _made(self) -> tuple[Path, Manifest]:
        now = time.time_ns()
        name = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9)) + f"{now // 10**6 % 1000:03d}Z"
        target, partial = self.directory / name, self.directory / (name + _PARTIAL)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.mkdir(mode=0o700)
        try:
            held, notes, tables = 0.0, list[str](), {}
            for tenant, source in self._sources.items():
                took, frozen = _take(source, partial / tenant, f"backup{name}", notes)
                held = max(held, took)
                tables[tenant] = keep(frozen, partial / tenant / "tables") if frozen else {}
            journal = sum(file.stat().st_size for file in partial.glob("*/journal/*"))
            schema = migrations()[-1].number
            manifest = Manifest(__version__, to_rfc3339(now), schema, tables, journal, round(held, 3), notes)
            manifest.write(partial)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target, manifest


def _take(source: Source, target: Path, name: str, notes: list[str]) -> tuple[float, Frozen | None]:
    """Seconds that storing was held, and the frozen tables; journal and control plane are then in `target`."""
    (target / "journal").mkdir(parents=True)
    with source.intake.held() as waiting:
        began = time.monotonic()
        frozen = freeze(source.engine, name) if isinstance(source.engine, EmbeddedEngine) else None
        for file in waiting:
            shutil.copyfile(file, target / "journal" / file.name)
        held = time.monotonic() - began
    if frozen is None:
        notes.append("telemetry is in a ClickHouse server: back it up there (BACKUP DATABASE ... TO S3)")
    if source.database.startswith(_SQLITE):
        _copy_database(Path(source.database.removeprefix(_SQLITE)), target / "control.db")
    else:
        notes.append("the control plane is in a database server: back it up there (pg_dump)")
    if source.forge and source.forge.is_dir():
        from pilothouse.delivery.forges.local.copying import copy_repositories

        copy_repositories(source.forge, target / "forge")
    return held, frozen


def _copy_database(source: Path, target: Path) -> None:
    """By SQLite's own backup, which sees one moment of a database that others write to."""
    with closing(sqlite3.connect(source, timeout=10)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
