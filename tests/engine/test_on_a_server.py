"""The same telemetry and questions on a ClickHouse server: its protocol, its cluster's DDL, and other rooms' tests.

`pytest --engine server tests/signals tests/releases` runs everything there is on the server's engine, and `pytest
--control postgresql` the rooms with stores on PostgreSQL; with PILOTHOUSE_THOROUGH=1 this file does, otherwise it runs
some of each, on both at once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.engine import (
    BudgetExceededError,
    Engine,
    EngineUnavailableError,
    QueryError,
    open_engine,
)
from pilothouse.engine.embedded import EmbeddedEngine
from pilothouse.engine.migrating import Layout, migrations, render
from pilothouse.engine.model import Budget
from pilothouse.engine.server import ServerEngine
from pilothouse.signals.storing import storings
from tests.engine.clickhouse_front import clickhouse
from tests.thorough import THOROUGH

ROOT = Path(__file__).parents[2]
SOME = [
    "tests/signals/test_announcing.py",
    "tests/signals/metrics/test_point_attributes.py",
    # Each that opens a store makes a database with all its tables, over HTTP.
    "tests/signals/profiles/test_storing.py::test_every_value_of_every_stack_is_kept",
    "tests/signals/profiles/test_storing.py::test_a_replay_stores_nothing_twice",
    "tests/signals/profiles/test_storing.py::test_a_sample_whose_stack_is_lost_still_counts",
    "tests/server/access/test_tokens.py::test_a_token_is_known_by_its_text_alone",
    "tests/server/access/test_tokens.py::test_a_token_that_was_taken_back_or_is_over_is_nobody",
    "tests/releases/rollout/test_advancing.py::test_step_by_step_to_the_end",
    "tests/releases/rollout/test_advancing.py::test_two_processes_do_not_drive_the_same_rollout",
]
_ON_CLICKHOUSE, _ON_POSTGRESQL = ("--engine", "server"), ("--control", "postgresql")
_STORES = ("control", "delivery", "hazards", "mesh", "releases", "server")
EVERYTHING = [
    (*_ON_CLICKHOUSE, "tests/signals", "tests/releases"),
    (*_ON_POSTGRESQL, *(f"tests/{room}" for room in _STORES)),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture
def remote(address: str) -> Iterator[Engine]:
    opened = open_engine(address)
    assert isinstance(opened, ServerEngine)
    yield opened
    opened.close()


def test_it_has_all_tables_once(remote: Engine, address: str) -> None:
    names = remote.query("SELECT name FROM system.tables WHERE database = currentDatabase()").column(0).to_pylist()
    assert {"logs", "spans", "samples", "profiles", "resources"} <= set(names)
    open_engine(address).close()


def test_values_come_back_as_they_were_bound(remote: Engine) -> None:
    given = {"a": 'it\'s\ta \\ "test"\n', "b": 7, "c": ["x'y", "z"], "d": 0.5}
    answer = remote.query("SELECT {a:String} AS a, {b:Int32} AS b, {c:Array(String)} AS c, {d:Float64} AS d", given)
    assert answer.to_pylist() == [given]


def test_a_stream_gives_all_rows(remote: Engine) -> None:
    batches = remote.stream("SELECT number FROM numbers(100000)")
    assert sum(batch.num_rows for batch in batches) == 100_000


def test_an_empty_segment_is_stored_as_nothing(remote: Engine, tmp_path: Path) -> None:
    """What is left of a request of which the engine can read nothing."""
    (tmp_path / "empty").write_bytes(b"")
    for number, (_, statement) in enumerate(storings()["logs"].statements):
        remote.store_segment(statement, tmp_path / "empty", f"empty-{number}")
    assert remote.query("SELECT count() FROM logs WHERE body = ''").column(0)[0].as_py() == 0


def test_errors_are_the_engines_own(remote: Engine) -> None:
    with pytest.raises(QueryError, match="nothing"):
        remote.query("SELECT nothing FROM logs")
    with pytest.raises(BudgetExceededError):
        remote.query("SELECT sum(sleepEachRow(0.01)) FROM numbers(100000)", budget=Budget(seconds=0.3))
    with pytest.raises(EngineUnavailableError, match="no ClickHouse answers"):
        open_engine("clickhouse://127.0.0.1:1/default")


def test_tenants_have_databases_of_their_own(address: str) -> None:
    engines = [open_engine(address, tenant=name) for name in ("shop", "bank")]
    engines[0].command("INSERT INTO logs (time, body) SELECT now(), 'a word'")
    counts = [engine.query("SELECT count() FROM logs").column(0)[0].as_py() for engine in engines]
    databases = [engine.query("SELECT currentDatabase()").column(0)[0].as_py() for engine in engines]
    for engine in engines:
        engine.close()
    assert counts == [1, 0]
    assert databases == ["default_shop", "default_bank"]


def test_what_a_cluster_is_told_is_sql_that_the_engine_reads(tmp_path: Path) -> None:
    """By the engine's own parser; Keeper and shards are not here to run it."""
    engine = EmbeddedEngine(tmp_path / "store", handles=1)
    layout, seen = Layout(cluster="main"), []
    for step in migrations():
        for statement in (line for part in step.statements for line in render(part, layout)):
            engine.command(f"EXPLAIN AST {statement}")
            seen.append(statement)
    with pytest.raises(QueryError, match="Syntax error"):
        engine.command("EXPLAIN AST CREATE TABLE a ON CLUSTER (b Int8) ENGINE = Replicated")
    engine.close()
    assert sum("ENGINE = Replicated" in one for one in seen) > 10
    # Each front has what it stands before; what is kept in memory is not replicated.
    fronts = re.findall(r"AS (\w+_local) ENGINE = Distributed\('main'", "\n".join(seen))
    assert fronts == re.findall(r"^CREATE TABLE (\w+_local) ON CLUSTER", "\n".join(seen), re.MULTILINE)
    assert all("ON CLUSTER 'main'" in one for one in seen)


def _servers() -> tuple[str, ...]:
    """ClickHouse's front is ours and always there; a PostgreSQL is a package of the system's."""
    there = shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return (*_ON_CLICKHOUSE, *(_ON_POSTGRESQL if there else ()))


@pytest.mark.timeout(3600 if THOROUGH else 600)
@pytest.mark.parametrize("chosen", EVERYTHING if THOROUGH else [(*_servers(), *SOME)], ids=lambda chosen: chosen[1])
def test_other_rooms_work_on_servers_too(chosen: tuple[str, ...], tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not alone",
        "--basetemp", str(tmp_path / "there"), *chosen,
        # Each of some hundred examples of a sweep goes over HTTP.
        *(["--timeout", "1200"] if THOROUGH else []),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3500 if THOROUGH else 590)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("statement", ["SELECT 1", "INSERT INTO logs SELECT * FROM logs WHERE 0"])
def test_a_password_in_the_address_is_unquoted(address: str, statement: str) -> None:
    engine = open_engine(address.replace("://", "://me:a%40b%2Fc@"))
    engine.command(statement)
    engine.close()


def test_blocks_may_have_dictionaries_of_their_own(remote: Engine) -> None:
    """What has few values is sent as numbers with a dictionary of them, one for each block of the answer."""
    several = "SELECT [toLowCardinality(toString(intDiv(number, 1000)))] AS few FROM numbers(200000)"
    answer = remote.query(f"{several} SETTINGS output_format_arrow_low_cardinality_as_dictionary = 1")
    assert answer.column(0).num_chunks > 1
    assert {one for [one] in answer.column(0).to_pylist()} == {str(number) for number in range(200)}
    assert remote.query(f"SELECT * FROM ({several}) WHERE few = []").column_names == ["few"]
