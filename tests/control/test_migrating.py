"""The control plane's database in its newest form: from nothing, from before forms were numbered, step by step."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import Connection, Engine, MetaData, create_engine, inspect, text

from pilothouse.control import migrating, migrations
from pilothouse.control.migrating import SchemaError, migrate, version
from pilothouse.control.migrations.to_0001 import TABLES
from pilothouse.control.opening import address, open_database
from tests.control.postgres import new_database

_ROOMS = (
    "control.claiming:_CLAIMS", "delivery.acting.tables:TABLES", "delivery.forges.local.tables:TABLES",
    "delivery.inbox.tables:TABLES", "delivery.pipelines.state.tables:TABLES", "delivery.polling.seen:TABLES",
    "delivery.previews.store:_METADATA", "delivery.promoting.store:_METADATA", "delivery.releasing.pending:_METADATA",
    "hazards.store:_tables", "releases.store.tables:metadata", "server.access.tables:metadata",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        if request.config.getoption("--control") != "sqlite":
            pytest.skip("about a file of SQLite's")
        return f"sqlite:///{tmp_path}/control.db"
    return new_database(request.getfixturevalue("postgres"), str(tmp_path))


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    """Empty, as a first start finds it."""
    made = create_engine(address(url))
    yield made
    made.dispose()


def _of_rooms() -> MetaData:
    import_module("pilothouse.releases.store")
    together = MetaData()
    for one in _ROOMS:
        module, name = one.split(":")
        found = getattr(import_module(f"pilothouse.{module}"), name)
        for table in found.tables.values() if isinstance(found, MetaData) else (found,):
            table.to_metadata(together)
    return together


def test_the_steps_end_at_what_the_rooms_use(database: Engine) -> None:
    """Whoever changes a table and writes no step is told what differs."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate(database)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _but_versions})
        assert compare_metadata(context, _of_rooms()) == []


def _but_versions(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or name != "control_version"


def test_every_metadata_of_the_source_is_among_them() -> None:
    source = Path(migrating.__file__).parents[1]
    found = {str(file.relative_to(source)) for file in source.rglob("*.py") if "MetaData()" in file.read_text()}
    ours = {one.split(":")[0].replace(".", "/") + ".py" for one in _ROOMS}
    assert {one for one in found if not one.startswith("control/migrat")} == ours


def test_a_database_from_before_forms_were_numbered_keeps_its_rows(database: Engine, url: str) -> None:
    """As an older Pilothouse made it: only the tables of rooms that were used, one without its newest columns."""
    with database.begin() as connection:
        TABLES.create_all(connection, tables=[TABLES.tables["slos"], TABLES.tables["release_marks"]])
        connection.exec_driver_sql("ALTER TABLE release_marks DROP COLUMN pulls")
        connection.exec_driver_sql("INSERT INTO slos (service, name, objective) VALUES ('cart', 'latency', '{}')")
        connection.exec_driver_sql(
            'INSERT INTO release_marks (service, version, at, kind, "by", environment, "commit", url, note) '
            "VALUES ('cart', '1.0.0', 5, 'release', '', '', '', '', '')"
        )
    opened = open_database(url)
    with opened.connect() as connection:
        assert connection.exec_driver_sql("SELECT service, name FROM slos").all() == [("cart", "latency")]
        assert connection.exec_driver_sql("SELECT version, pulls FROM release_marks").all() == [("1.0.0", "[]")]
        assert version(connection) == migrations.NEWEST
        assert "promotions" in inspect(connection).get_table_names()
    opened.dispose()


def _next_step(monkeypatch: pytest.MonkeyPatch, *statements: str) -> int:
    step, number = ModuleType("step"), migrations.NEWEST + 1

    def upgrade(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    step.upgrade = upgrade  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"pilothouse.control.migrations.to_{number:04}", step)
    return number


def test_a_newer_version_takes_one_step_and_the_older_one_says_what_to_do(
    database: Engine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database)
    step = _next_step(monkeypatch, "ALTER TABLE slos ADD COLUMN team VARCHAR(9) DEFAULT 'none' NOT NULL")
    for _ in range(2):
        migrate(database, step)
    with database.connect() as connection:
        assert version(connection) == step
        assert "team" in {column["name"] for column in inspect(connection).get_columns("slos")}
    with pytest.raises(SchemaError, match=r"newer Pilothouse.*restore a backup"):
        open_database(url)


def test_a_step_that_fails_leaves_everything_as_it_was(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(database)
    step = _next_step(monkeypatch, "ALTER TABLE slos ADD COLUMN team VARCHAR(9)", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(Exception, match="nowhere"):
        migrate(database, step)
    with database.connect() as connection:
        assert version(connection) == migrations.NEWEST
        assert "team" not in {column["name"] for column in inspect(connection).get_columns("slos")}


def test_processes_that_start_together_take_each_step_once(url: str) -> None:
    program = "import sys; from pilothouse.control.opening import open_database; open_database(sys.argv[1]).dispose()"
    starting = [subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(one.communicate(timeout=180)[1], one.returncode) for one in starting] == [(b"", 0)] * 3
    opened = open_database(url)
    with opened.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM control_version")).scalar() == migrations.NEWEST
        if opened.dialect.name == "sqlite":
            asked = [connection.exec_driver_sql(f"PRAGMA {one}").scalar() for one in ("journal_mode", "synchronous")]
            assert asked == ["wal", 2], "one decision, in the one place that opens it"
    opened.dispose()
