"""Data of an older Pilothouse, as that one wrote it: brought forward at the start, with nothing lost.

`data-of-78a6b3e.tar.xz` is the data directory of that commit's own server after it had been sent telemetry of four
kinds and a release, and was stopped. CONTRIBUTING.md says how one is made.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from sqlalchemy import text

from pilothouse.control.migrations import NEWEST
from pilothouse.control.opening import open_database
from pilothouse.engine.migrating import migrations
from tests.server.access.inside import inside

_OLD = Path(__file__).with_name("data-of-78a6b3e.tar.xz")
_TRACE = "0102030405060708090a0b0c0d0e0f10"
_ASKED = {"since": "20000d", "selector": 'service_name="old"'}


@pytest.mark.skipif("config.getoption('--control') != 'sqlite'", reason="about a file of SQLite's")
def test_what_an_older_one_kept_is_there_and_goes_on(tmp_path: Path) -> None:
    with tarfile.open(_OLD) as archive:
        archive.extractall(tmp_path, filter="data")
    with inside(tmp_path / "data", retention="20000d", max_age="20000d") as house:
        steps = house.process._engine.query("SELECT max(number) FROM schema_migrations").column(0)[0].as_py()
        assert steps == max(step.number for step in migrations())
        logs = house.http.get("/api/logs", params=_ASKED | {"limit": "100"}).json()["logs"]
        assert sorted(line["body"] for line in logs) == sorted(f"line {number}" for number in range(50))
        trace = house.http.get(f"/api/traces/{_TRACE}").json()
        assert (trace["total"], trace["spans"][0]["attributes"]) == (5, {"http.route": "/"})
        stacks = house.http.get("/api/profiles/folded", params=_ASKED).json()["stacks"]
        assert [one["stack"] for one in stacks] == [["main", "work"], ["main", "rest"]]
        at = logs[0]["time"]
        query = {"query": "last_over_time(old_count_total[1m])", "time": at}
        [found] = house.http.get("/prometheus/api/v1/query", params=query).json()["data"]["result"]
        assert found["value"][1] == "9"
        [release] = house.http.get("/api/releases").json()["releases"]
        assert (release["version"], release["mark"]["note"]) == ("1", "before")
        # It goes on: what is marked now stands beside it.
        assert house.http.post("/api/releases", json={"service": "old", "version": "2"}).status_code == 201
    database = open_database(f"sqlite:///{tmp_path}/data/control.db")
    with database.connect() as connection:
        assert connection.execute(text("SELECT max(version) FROM control_version")).scalar() == NEWEST
        assert connection.execute(text("SELECT count(*) FROM release_marks")).scalar() == 2
    database.dispose()
