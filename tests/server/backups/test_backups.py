"""A backup is taken while telemetry comes in, and what it has is what was acknowledged: no less, and nothing twice."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.control.migrating import migrate
from pilothouse.control.migrations import NEWEST
from pilothouse.engine import open_engine
from pilothouse.engine.migrating import Migration, migrations
from pilothouse.server.backups.manifest import FILE, BackupError
from pilothouse.server.backups.restoring import restore
from tests.acceptance import telemetry
from tests.running import RunningServer, start_server


class _Sender(threading.Thread):
    """Sends log lines with numbers, and knows which were acknowledged."""

    def __init__(self, server: RunningServer, tenant: str) -> None:
        super().__init__(daemon=True)
        self.server, self.headers = server, telemetry.PROTOBUF | {"x-scope-orgid": tenant}
        self.tenant, self.sent, self.acknowledged, self.stop = tenant, 0, 0, threading.Event()

    def run(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self.stop.is_set():
                body = telemetry.logs(self.tenant, [f"{self.tenant} {self.sent}"])
                self.sent += 1
                assert client.post(f"{self.server.otlp}/v1/logs", content=body, headers=self.headers).status_code == 200
                self.acknowledged += 1


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = start_server(tmp_path_factory.mktemp("original"), PILOTHOUSE_TENANTS="shop")
    yield running
    running.stop()


def _backup(server: RunningServer, *arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(program("backup"), ["backup", "--server", server.http, *arguments, "--output", "json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout.splitlines()[0]))


def _numbers(server: RunningServer, tenant: str) -> list[int]:
    answer = httpx.get(
        f"{server.http}/api/logs",
        params={"since": "1h", "limit": 10_000},
        headers={"x-scope-orgid": tenant},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return sorted(int(line["body"].split()[1]) for line in answer.json()["logs"])


def _repository(server: RunningServer) -> None:
    """One in the built-in forge, made by the machine's owner."""
    server.get("/api/forge/repositories")
    token = (server.log.parent / "data" / "forge" / "admin.token").read_text().strip()
    made = httpx.post(
        f"{server.http}/api/forge/repositories",
        json={"name": "shop/cart"},
        headers={"authorization": f"Bearer {token}"},
    )
    assert made.status_code == 201, made.text


def test_what_was_acknowledged_before_is_there_once(tenants: RunningServer, tmp_path: Path) -> None:
    httpx.post(f"{tenants.http}/api/releases", json={"service": "shop", "version": "7"}).raise_for_status()
    _repository(tenants)
    senders = [_Sender(tenants, tenant) for tenant in ("default", "shop")]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + 60
    while min(sender.acknowledged for sender in senders) < 60:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    before = {sender.tenant: sender.acknowledged for sender in senders}
    made = _backup(tenants)
    for sender in senders:
        sender.stop.set()
        sender.join()
    after = {sender.tenant: sender.sent for sender in senders}
    assert float(str(made["seconds_held"])) < 10
    assert restore(Path(str(made["path"])), tmp_path / "data").rows == made["rows"]
    restored = start_server(tmp_path, PILOTHOUSE_TENANTS="shop")
    try:
        for tenant in ("default", "shop"):
            deadline = time.monotonic() + 60
            while len(numbers := _numbers(restored, tenant)) < before[tenant]:
                assert time.monotonic() < deadline, f"{len(numbers)} of {before[tenant]}"
                time.sleep(0.1)
            # The first so many in order, none missing, none twice.
            assert numbers == list(range(len(numbers)))
            assert before[tenant] <= len(numbers) <= after[tenant]
        marks = restored.get("/api/releases")["releases"]
        assert [one["version"] for one in marks if one["mark"]] == ["7"]
        repositories = restored.get("/api/forge/repositories")["repositories"]
        assert [one["name"] for one in repositories] == ["shop/cart"]
        git = f"{restored.http}/git/shop/cart.git/info/refs?service=git-upload-pack"
        assert httpx.get(git).status_code == 200
        # It goes on: what comes now is stored beside what was restored.
        body = telemetry.logs("default", [f"default {len(numbers) + 10_000}"])
        httpx.post(f"{restored.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).raise_for_status()
        deadline = time.monotonic() + 60
        while max(_numbers(restored, "default")) < 10_000:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        restored.stop()


def test_a_backup_from_before_a_migration_is_restored_and_brought_forward(
    tenants: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a newer Pilothouse does it: one whose tables and whose control plane have one step more."""
    httpx.post(f"{tenants.http}/api/releases", json={"service": "before", "version": "3"}).raise_for_status()
    body = telemetry.logs("before", ["before 1"])
    httpx.post(f"{tenants.otlp}/v1/logs", content=body, headers=telemetry.PROTOBUF).raise_for_status()
    tenants.wait_for("/api/logs", "logs", 1, selector='service_name="before"')
    made = _backup(tenants)

    step = Migration(9_000, "team", ("ALTER TABLE logs ADD COLUMN team String DEFAULT concat('of ', body)",))
    newer = [*migrations(), step]
    for where in ("pilothouse.engine.migrating", "pilothouse.server.backups.restoring"):
        monkeypatch.setattr(f"{where}.migrations", lambda: newer)
    restore(Path(str(made["path"])), tmp_path / "data")
    engine = open_engine(tmp_path / "data" / "store")
    found = engine.query("SELECT team FROM logs WHERE body = 'before 1'").column(0).to_pylist()
    taken = engine.query("SELECT max(number) FROM schema_migrations").column(0)[0].as_py()
    engine.close()
    assert (found, taken) == (["of before 1"], 9_000)

    number, module = NEWEST + 1, ModuleType("step")
    module.upgrade = lambda connection: connection.exec_driver_sql(  # type: ignore[attr-defined]
        "ALTER TABLE release_marks ADD COLUMN team VARCHAR(9) DEFAULT 'none' NOT NULL"
    )
    monkeypatch.setitem(sys.modules, f"pilothouse.control.migrations.to_{number:04}", module)
    database = create_engine(f"sqlite:///{tmp_path}/data/control.db")
    migrate(database, number)
    with database.connect() as connection:
        asked = "SELECT version, team FROM release_marks WHERE service = 'before'"
        assert connection.exec_driver_sql(asked).all() == [("3", "none")]
    database.dispose()


def test_old_ones_are_deleted_when_asked(tenants: RunningServer) -> None:
    names = [_backup(tenants)["name"] for _ in range(2)]
    newest = _backup(tenants, "--keep", "2")["name"]
    kept = [one["name"] for one in tenants.get("/api/backups")["backups"]]
    assert kept == [newest, names[1]]
    assert not list((tenants.log.parent / "data" / "backups").glob("*.partial"))
    assert not list((tenants.log.parent / "data" / "store" / "shadow").glob("backup*"))


@pytest.mark.parametrize("body", [{"keep": -1}, {"keep": "all"}, {"keep": True}, {"to": "/etc"}])
def test_a_wrong_wish_is_said_and_nothing_made(tenants: RunningServer, body: dict[str, object]) -> None:
    before = len(tenants.get("/api/backups")["backups"])
    answer = httpx.post(f"{tenants.http}/api/backups", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert len(tenants.get("/api/backups")["backups"]) == before
    assert httpx.post(f"{tenants.http}/api/backups", json={}, headers={"x-scope-orgid": "shop"}).status_code == 400


def test_what_cannot_be_restored_is_said(tenants: RunningServer, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="not a whole backup"):
        restore(tmp_path, tmp_path / "new")
    backup = Path(str(_backup(tenants)["path"]))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(BackupError, match="is not empty"):
        restore(backup, tmp_path / "full")
    newer = tmp_path / "newer"
    newer.mkdir()
    content = json.loads((backup / FILE).read_text())
    (newer / FILE).write_text(json.dumps(content | {"schema": 9_999, "version": "99"}))
    with pytest.raises(BackupError, match=r"a newer Pilothouse \(99\)"):
        restore(newer, tmp_path / "new")
    broken = tmp_path / "broken"
    shutil.copytree(backup, broken)
    part = next(path for path in (broken / "default" / "tables" / "logs").iterdir())
    (part / "count.txt").write_text("123456")
    done = CliRunner().invoke(program("restore"), ["restore", str(broken), "--data", str(tmp_path / "new")])
    assert done.exit_code == 3
    assert "could be restored" in done.output or "Code:" in done.output
