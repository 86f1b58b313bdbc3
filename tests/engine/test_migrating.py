"""Migrations: every file applies once, a newer store is refused, a cluster gets its own engines."""

from __future__ import annotations

import pytest

from pilothouse.engine import Engine, EngineError
from pilothouse.engine.migrating import Layout, migrate, migrations, pending, render
from pilothouse.engine.retention import TABLES, keep


def test_each_number_is_taken_once() -> None:
    numbers = [step.number for step in migrations()]
    assert numbers == sorted(set(numbers))
    assert numbers[:5] == [1, 2, 3, 4, 5]


def test_nothing_is_pending_after_opening(engine: Engine) -> None:
    assert pending(engine) == []
    assert migrate(engine, Layout()) == []


def test_a_newer_store_is_refused(engine: Engine) -> None:
    engine.command("INSERT INTO schema_migrations VALUES (9999, 'future', now())")
    with pytest.raises(EngineError, match="newer Pilothouse"):
        pending(engine)


def test_a_dry_run_changes_nothing(engine: Engine) -> None:
    engine.command("TRUNCATE TABLE schema_migrations")
    assert any(statement.startswith("CREATE TABLE logs") for statement in migrate(engine, Layout(), dry_run=True))
    assert len(pending(engine)) == len(migrations())


def test_a_cluster_gets_replicated_tables_with_a_distributed_one_in_front(engine: Engine) -> None:
    layout = Layout(cluster="fleet")
    for step in migrations():
        for statement in (line for part in step.statements for line in render(part, layout)):
            # The engine's own parser: formatQuery fails on what it cannot parse.
            engine.query("SELECT formatQuery({sql:String})", {"sql": statement})
    local, front = render("CREATE TABLE logs (a UInt8) ENGINE = {MergeTree} ORDER BY a", layout)
    assert "CREATE TABLE logs_local ON CLUSTER 'fleet'" in local
    assert "ReplicatedMergeTree('/clickhouse/tables/{shard}/" in local
    assert "Distributed('fleet', currentDatabase(), 'logs_local', identity)" in front


def test_retention_is_set_once(engine: Engine) -> None:
    keep(engine, dict.fromkeys(TABLES, 86400.0))
    found = engine.query("SELECT create_table_query AS q FROM system.tables WHERE name = 'logs'").to_pylist()
    assert "toIntervalSecond(86400)" in found[0]["q"]
    keep(engine, dict.fromkeys(TABLES, 86400.0))


def test_a_new_column_is_also_one_of_the_table_in_front_of_a_cluster() -> None:
    statement = "ALTER TABLE distributions ADD COLUMN exact Array(Float64) CODEC(ZSTD(1))"
    assert render(statement, Layout(cluster="two")) == [
        "ALTER TABLE distributions_local ON CLUSTER 'two' ADD COLUMN exact Array(Float64) CODEC(ZSTD(1))",
        "ALTER TABLE distributions ON CLUSTER 'two' ADD COLUMN exact Array(Float64)",
    ]
    assert len(render("ALTER TABLE logs MODIFY COLUMN identity CODEC(Delta)", Layout(cluster="two"))) == 1
