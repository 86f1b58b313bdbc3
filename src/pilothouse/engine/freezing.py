"""An embedded engine's tables as files: taken while it works, and put into another engine.

`ALTER TABLE ... FREEZE` makes hard links of a table's parts, which never change: it takes milliseconds whatever the
table's size, and needs no disk until merges replace the parts. What is frozen is then moved to where it is to be kept.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.engine.binding import identifier, quote
from pilothouse.engine.errors import EngineError
from pilothouse.engine.migrating import Layout, migrate

if TYPE_CHECKING:
    from pilothouse.engine.embedded import EmbeddedEngine


@dataclass(frozen=True, slots=True)
class Frozen:
    """Hard links of one database's parts: where they lie, and which table each directory is of."""

    directory: Path
    tables: dict[str, Path]


def freeze(engine: EmbeddedEngine, name: str) -> Frozen:
    """Freeze all tables under `name` (letters and digits).

    Tables in memory hold nothing that is to be kept; which migrations ran, `thaw` is told.
    """
    rows = engine.query(
        "SELECT name, data_paths[1] AS path FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name"
    ).to_pylist()
    root = engine.directory.resolve()
    directory = root / "shadow" / name
    for row in rows:
        engine.command(f"ALTER TABLE {identifier(row['name'])} FREEZE WITH NAME {quote(name)}")
    # Below the frozen directory, paths are as they are below the store.
    return Frozen(directory, {row["name"]: directory / Path(row["path"]).relative_to(root) for row in rows})


def keep(frozen: Frozen, target: Path) -> dict[str, dict[str, int]]:
    """Move what was frozen to `target/TABLE/PART`; how many parts, rows and bytes each table has."""
    counted = {}
    for table, source in frozen.tables.items():
        (target / table).mkdir(parents=True)
        parts = sorted(source.iterdir()) if source.is_dir() else []
        for part in parts:
            shutil.move(part, target / table / part.name)
        counted[table] = count(target / table)
    left = list(frozen.directory.rglob("count.txt"))
    shutil.rmtree(frozen.directory, ignore_errors=True)
    if left:
        raise EngineError(f"{len(left)} parts were frozen and belong to no table: {left[0].parent.name}")
    return counted


def count(table: Path) -> dict[str, int]:
    """Parts, rows and bytes below a directory of parts."""
    parts = [part for part in table.iterdir() if part.is_dir()]
    files = [file for part in parts for file in part.rglob("*") if file.is_file()]
    rows = sum(int((part / "count.txt").read_text()) for part in parts if (part / "count.txt").is_file())
    return {"parts": len(parts), "rows": rows, "bytes": sum(file.stat().st_size for file in files)}


def thaw(engine: EmbeddedEngine, source: Path, schema: int) -> int:
    """Put what `keep` kept into an engine without tables, as of migration `schema`; how many rows there are.

    Raises `EngineError` when a table is unknown, or has not the rows that were kept.
    """
    migrate(engine, Layout(), upto=schema)
    rows = 0
    for table in sorted(path for path in source.iterdir() if path.is_dir()):
        kept = count(table)
        if not kept["parts"]:
            continue
        found = engine.query(
            "SELECT data_paths[1] AS path FROM system.tables "
            "WHERE database = currentDatabase() AND name = {name:String}",
            {"name": table.name},
        ).to_pylist()
        if not found:
            raise EngineError(f"{table.name}: the backup has this table, and this Pilothouse does not")
        for part in table.iterdir():
            shutil.copytree(part, Path(found[0]["path"]) / "detached" / part.name)
        engine.command(f"ALTER TABLE {identifier(table.name)} ATTACH PARTITION ALL")
        there = engine.query(f"SELECT count() FROM {identifier(table.name)}").column(0)[0].as_py()
        if there != kept["rows"]:
            raise EngineError(f"{table.name}: {there} rows of {kept['rows']} could be restored")
        rows += there
    return rows
