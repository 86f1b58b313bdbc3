"""Opening an engine by address, with its tables brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pilothouse.engine.arrow import do_without_pandas
from pilothouse.engine.errors import EngineError
from pilothouse.engine.migrating import Layout, migrate, move
from pilothouse.masking import masked

if TYPE_CHECKING:
    from pilothouse.engine.model import Engine


def open_engine(
    address: str | Path, layout: Layout | None = None, cache_bytes: int | None = None, tenant: str = ""
) -> Engine:
    """The engine at `address`, ready to use.

    A path opens an embedded store there; `clickhouse://user:password@host:8123/database?cluster=NAME` connects
    to a server, and with `storage_policy=NAME` its tables lie on that policy's disks. `cache_bytes` is how much an
    embedded store may keep decompressed in memory. With a `tenant`, the engine knows a database of that tenant alone:
    no statement of it can name a row of another (docs/adr/0060). Raises `EngineBusyError` when another process has the
    path open, `EngineError` otherwise.
    """
    do_without_pandas()
    text = str(address)
    engine: Engine
    if "://" not in text:
        from pilothouse.engine.embedded import EmbeddedEngine

        own: dict[str, Any] = {"handles": 2, "database": f"tenant_{tenant}"} if tenant else {}
        engine = EmbeddedEngine(Path(text), cache_bytes=cache_bytes, **own)
    elif urlsplit(text).scheme in ("clickhouse", "clickhouses"):
        from pilothouse.engine.server import ServerEngine

        engine = ServerEngine(text, tenant)
        layout = layout or engine.layout
    else:
        raise EngineError(f"{masked(text)}: a path or clickhouse://HOST:PORT/DATABASE is wanted")
    try:
        migrate(engine, layout or Layout())
        move(engine, layout or Layout())
    except BaseException:
        engine.close()
        raise
    return engine
