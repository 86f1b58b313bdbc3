"""A store that an older version wrote is brought forward, with what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.engine import EngineError, open_engine
from pilothouse.engine.embedded import EmbeddedEngine
from pilothouse.engine.migrating import Layout, migrate, migrations, pending
from tests.thorough import THOROUGH


def test_every_older_schema_is_brought_forward_and_keeps_its_rows(tmp_path: Path) -> None:
    """From each number that was ever last: rows of all tables that it had are there, and all tables are the newest.

    By default from every third, the first and the one before the last among them.
    """
    newest = open_engine(tmp_path / "store")
    wanted = _tables(newest)
    newest.close()
    steps = migrations()[:-1]
    for step in steps if THOROUGH else [*steps[:-1:3], steps[-1]]:
        old = EmbeddedEngine(tmp_path / "store", handles=1, database=f"v{step.number}")
        migrate(old, Layout(), upto=step.number)
        kept = {}
        for table, engine in _engines(old).items():
            if engine.endswith("MergeTree") and table != "schema_migrations":
                _insert_one(old, table)
                kept[table] = _count(old, table)
        assert kept
        migrate(old, Layout())
        assert not pending(old)
        assert _tables(old) == wanted
        assert {table: _count(old, table) for table in kept} == kept
        old.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "store")
    engine.command("INSERT INTO schema_migrations SELECT 9999, 'tomorrow', now()")
    engine.close()
    with pytest.raises(EngineError, match="newer Pilothouse"):
        open_engine(tmp_path / "store")


def _insert_one(engine: EmbeddedEngine, table: str) -> None:
    """A row of nothing but defaults: what an aggregate over no rows gives for each column."""
    column = engine.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} "
        "AND default_kind = '' ORDER BY position LIMIT 1",
        {"table": table},
    ).column(0)[0]
    engine.command(f"INSERT INTO {table} ({column}) SELECT any({column}) FROM {table}")


def _engines(engine: EmbeddedEngine) -> dict[str, str]:
    rows = engine.query("SELECT name, engine FROM system.tables WHERE database = currentDatabase()").to_pylist()
    return {row["name"]: row["engine"] for row in rows}


def _count(engine: EmbeddedEngine, table: str) -> int:
    return int(engine.query(f"SELECT count() FROM {table}").column(0)[0].as_py())


def _tables(engine: EmbeddedEngine) -> dict[str, list[tuple[str, str]]]:
    rows = engine.query(
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
    ).to_pylist()
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["table"], []).append((row["name"], row["type"]))
    return found
