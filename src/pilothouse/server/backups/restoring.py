"""Putting a backup into an empty data directory. A server that is started on it goes on from there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pilothouse.engine import EngineError
from pilothouse.engine.embedded import EmbeddedEngine
from pilothouse.engine.freezing import thaw
from pilothouse.engine.migrating import migrations
from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.server.backups.manifest import BackupError, Manifest, read
from pilothouse.server.locking import DataDirectoryError, lock


def restore(backup: Path, data: Path, say: Callable[[str], None] = lambda text: None) -> Manifest:
    """Put `backup` into `data`, which must be empty or not there; `say` hears of each step. Raises `BackupError`."""
    manifest = read(backup)
    known = migrations()[-1].number
    if manifest.schema > known:
        raise BackupError(f"{backup}: a newer Pilothouse ({manifest.version}) made this; restore it with that one")
    if data.is_dir() and any(data.iterdir()):
        raise BackupError(f"{data}: is not empty; a backup is restored into a directory of its own: choose another")
    try:
        handle = lock(data)
        try:
            for tenant in manifest.tables:
                _put(backup / tenant, data, tenant, manifest, say)
        finally:
            os.close(handle)
        return manifest
    except (EngineError, DataDirectoryError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename or data}: {error.strerror or error}"
    # All in it is ours, and half a backup must not be taken for a whole one.
    shutil.rmtree(data, ignore_errors=True)
    raise BackupError(reason)


def _put(source: Path, data: Path, tenant: str, manifest: Manifest, say: Callable[[str], None]) -> None:
    own = data if tenant == DEFAULT_TENANT else data / "tenants" / tenant
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    if manifest.tables[tenant]:
        say(f"{tenant}: {sum(one['rows'] for one in manifest.tables[tenant].values()):,} rows")
        database = "" if tenant == DEFAULT_TENANT else f"tenant_{tenant}"
        engine = EmbeddedEngine(data / "store", handles=2, cache_bytes=0, database=database)
        try:
            thaw(engine, source / "tables", manifest.schema)
        finally:
            engine.close()
    shutil.copytree(source / "journal", own / "journal", dirs_exist_ok=True)
    if (source / "forge").is_dir():
        shutil.copytree(source / "forge", own / "forge")
    if (source / "control.db").is_file():
        shutil.copyfile(source / "control.db", own / "control.db")
        (own / "control.db").chmod(0o600)
