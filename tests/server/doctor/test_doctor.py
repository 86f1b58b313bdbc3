"""The doctor says what is wrong and what to do, of a directory and of a server that runs."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse.cli.program import program
from pilothouse.control.migrations import NEWEST
from pilothouse.control.opening import open_database
from pilothouse.server.config import Config
from pilothouse.server.doctor import Finding, examine
from tests.control.postgres import new_database
from tests.ports import free_port
from tests.running import RunningServer


def _config(data: Path, **settings: object) -> Config:
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("http", "otlp_grpc", "otlp_http")}
    return Config(data=data, **(ports | settings))  # type: ignore[arg-type]


def _by_check(config: Config) -> dict[str, Finding]:
    return {one.check: one for one in examine(config)}


def test_nothing_is_wrong_with_a_place_that_is_empty(tmp_path: Path) -> None:
    found = _by_check(_config(tmp_path / "new"))
    assert found["data"].state == found["http"].state == found["access"].state == "ok"
    assert not (tmp_path / "new").exists()
    assert all(one.remedy for one in found.values() if one.state != "ok")


def test_a_directory_that_others_may_read_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = _by_check(_config(tmp_path))["data"]
    assert (found.state, found.remedy) == ("warning", f"chmod 700 {tmp_path}")


def test_what_is_in_it_and_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store").write_text("no directory")
    (tmp_path / "control.db").touch()
    tmp_path.chmod(0o700)
    may = os.access
    # As after a start as root; who runs the tests may be root.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "control.db" and may(path, mode))
    found = _by_check(_config(tmp_path))
    assert found["store"].said == f"{tmp_path / 'store'} is not a directory"
    assert found["data"].said == f"{tmp_path / 'control.db'} may not be read and written by this user"
    assert found["data"].remedy.startswith("chown -R ")


def test_a_port_that_somebody_else_has_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = _by_check(_config(tmp_path, otlp_grpc=f"127.0.0.1:{taken.getsockname()[1]}"))["otlp_grpc"]
    assert found.state == "failed"
    assert "--otlp-grpc" in found.remedy


def test_what_waits_and_what_was_set_aside_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal" / "aside").mkdir(parents=True)
    (tmp_path / "journal" / "logs-00000000000000000001.segment").write_bytes(bytes(900_000))
    (tmp_path / "journal" / "aside" / "x.segment").write_bytes(b"x")
    found = _by_check(_config(tmp_path, journal_bytes=1_000_000))
    assert found["journal"].state == found["set aside"].state == "warning"
    assert "most of it logs" in found["journal"].said


def test_a_broken_control_plane_is_said(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "control.db") as database:
        database.execute("CREATE TABLE a (b)")
        database.executemany("INSERT INTO a VALUES (?)", [("x" * 1000,)] * 50)
    assert _by_check(_config(tmp_path))["control plane"].state == "ok"
    content = bytearray((tmp_path / "control.db").read_bytes())
    content[4096:12_288] = b"\xff" * 8192
    (tmp_path / "control.db").write_bytes(content)
    broken = _by_check(_config(tmp_path))["control plane"]
    assert (broken.state, "there is no backup in" in broken.remedy) == ("failed", True)
    # As `pilothouse backup` names them; one that was not ended counts for nothing.
    for name in ("20260102T030405000Z", "20260103T030405000Z", "20260104T030405000Z.partial"):
        (tmp_path / "backups" / name).mkdir(parents=True)
        (tmp_path / "backups" / name / "manifest.json").touch()
    remedy = _by_check(_config(tmp_path))["control plane"].remedy
    assert f"pilothouse restore {tmp_path}/backups/20260103T030405000Z --data " in remedy


def test_a_control_plane_that_does_not_answer_is_said_and_nothing_of_its_password(tmp_path: Path) -> None:
    address = f"postgresql://me:hush@127.0.0.1:{free_port()}/control"
    found = _by_check(_config(tmp_path, database=address))["control plane"]
    assert (found.state, "hush" in found.said) == ("failed", False)
    assert "me:***@127.0.0.1" in found.said
    assert "Can't create a connection" in found.said


def test_a_control_plane_on_postgresql_is_looked_at_and_left_as_it_is(postgres: str, tmp_path: Path) -> None:
    address = new_database(postgres, str(tmp_path)) + "?sslmode=disable"
    found = [_by_check(_config(tmp_path, database=address))["control plane"]]
    assert f"has form 0; the next start brings it to {NEWEST}" in found[0].said
    open_database(address).dispose()
    found.append(_by_check(_config(tmp_path, database=address))["control plane"])
    assert [one.state for one in found] == ["ok", "ok"]
    assert found[1].said.endswith(f"answers and has form {NEWEST}")


def test_a_server_without_its_control_plane_says_so_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a process does to itself as it starts is not for the tests' own.
    monkeypatch.setattr("pilothouse.server.logging.configure", lambda level: None)
    monkeypatch.setattr("pilothouse.server.allocating.keep_freed_memory", lambda: None)
    for name in ("GRPC_ENABLE_FORK_SUPPORT", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    environment = {"PILOTHOUSE_DATABASE": f"postgresql://me:hush@127.0.0.1:{free_port()}/control"}
    done = CliRunner().invoke(program("up"), ["up", "--data", str(tmp_path / "data")], env=environment)
    assert done.exit_code == 3
    assert done.output.startswith("pilothouse: the control plane's database: Can't create a connection to host")
    assert "hush" not in done.output


@pytest.mark.parametrize(
    ("settings", "state"), [({"insecure": True}, "warning"), ({}, "warning"), ({"tls_cert": "a.pem"}, "ok")]
)
def test_who_may_come_in_is_said(tmp_path: Path, settings: dict[str, object], state: str) -> None:
    assert _by_check(_config(tmp_path, http=f"0.0.0.0:{free_port()}", **settings))["access"].state == state


def test_a_server_that_runs_is_asked(server: RunningServer, tmp_path: Path) -> None:
    data = server.log.parent / "data"
    config = tmp_path / "pilothouse.toml"
    addresses = {"http": server.http, "otlp_http": server.otlp, "otlp_grpc": server.addresses["grpc"]}
    lines = [f'{name} = "{address.removeprefix("http://")}"' for name, address in addresses.items()]
    config.write_text("\n".join(lines))
    done = CliRunner().invoke(
        program("doctor"), ["doctor", "--config", str(config), "--data", str(data), "--output", "json"]
    )
    found = {row["check"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert found["store"]["state"] == found["version"]["state"] == found["http"]["state"] == "ok"
    assert done.exit_code == int(any(row["state"] == "failed" for row in found.values()))
    wrong = CliRunner().invoke(program("doctor"), ["doctor", "--config", str(tmp_path / "none.toml")])
    assert wrong.exit_code == 3
