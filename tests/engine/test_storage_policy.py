"""Telemetry on S3: the policy that the docs show, read by the engine, with a stand-in for S3 behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.engine import Engine, EngineError, open_engine
from pilothouse.engine.migrating import Layout, migrations, render
from tests.engine.clickhouse_front import clickhouse
from tests.engine.s3_front import S3, s3

ROOT = Path(__file__).parents[2]
_POLICY = "local_then_s3"
_ENDPOINT = re.compile(r"(?<=<endpoint>)[^<]*(?=</endpoint>)")
_ENVIRONMENT = "<use_environment_credentials>true</use_environment_credentials>"
_KEYS = "<access_key_id>a</access_key_id><secret_access_key>b</secret_access_key>"


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3]:
    with s3() as found:
        yield found


@pytest.fixture(scope="module")
def address(bucket: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    page = (ROOT / "docs" / "how-to" / "outgrow-one-machine.md").read_text()
    [config] = re.findall(r"```xml\n(.*?)```", page, re.DOTALL)
    assert _ENVIRONMENT in config
    here = _ENDPOINT.sub(f"{bucket.url}/telemetry/pilothouse/", config).replace(_ENVIRONMENT, _KEYS)
    with clickhouse(tmp_path_factory.mktemp("clickhouse"), here) as found:
        yield found


def _policies(engine: Engine) -> dict[str, str]:
    rows = engine.query(
        "SELECT name, storage_policy FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    ).to_pylist()
    return {row["name"]: row["storage_policy"] for row in rows if row["name"] != "schema_migrations"}


def test_tables_are_made_on_it_and_what_is_moved_to_s3_is_asked_for_there(address: str, bucket: S3) -> None:
    engine = open_engine(f"{address}?storage_policy={_POLICY}", tenant="a")
    try:
        policies = _policies(engine)
        assert {"logs", "spans", "samples", "profiles", "resources"} <= policies.keys()
        assert set(policies.values()) == {_POLICY}
        engine.command(
            "INSERT INTO logs (time, body) SELECT now(), concat('line ', toString(number)) FROM numbers(1000)"
        )
        kept = len(bucket.objects)
        [day] = engine.query("SELECT DISTINCT toString(toDate(time)) FROM logs").column(0).to_pylist()
        engine.command(f"ALTER TABLE logs MOVE PARTITION '{day}' TO VOLUME 's3'")
        disks = engine.query("SELECT DISTINCT disk_name FROM system.parts WHERE active AND table = 'logs'")
        assert disks.column(0).to_pylist() == ["s3_cached"]
        assert len(bucket.objects) > kept
        found = engine.query("SELECT count() AS n, max(body) AS last FROM logs WHERE body LIKE '%line 99%'").to_pylist()
        assert found == [{"n": 11, "last": "line 999"}]
    finally:
        engine.close()


def test_tables_that_are_there_already_are_put_on_it(address: str) -> None:
    before = open_engine(address, tenant="b")
    assert set(_policies(before).values()) == {"default"}
    before.close()
    after = open_engine(f"{address}?storage_policy={_POLICY}", tenant="b")
    assert set(_policies(after).values()) == {_POLICY}
    after.close()


def test_what_cannot_be_is_said(address: str) -> None:
    with pytest.raises(EngineError, match="nowhere"):
        open_engine(f"{address}?storage_policy=nowhere", tenant="c")
    with pytest.raises(EngineError, match="the address knows no storage: only cluster, storage_policy"):
        open_engine(f"{address}?storage=s3", tenant="c")


def test_a_clusters_tables_are_told_too() -> None:
    statements = [
        line for step in migrations() for part in step.statements for line in render(part, Layout("main", _POLICY))
    ]
    for statement in statements:
        assert ("storage_policy = 'local_then_s3'" in statement) == ("ENGINE = Replicated" in statement), statement
