"""A PostgreSQL server of our own, from Debian's package: on loopback, in a directory, gone afterwards."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from pilothouse.control import opening
from tests.ports import free_port

# The driver reads the system's certificates for each connection, to ask whether a server has TLS: a third of the CPU.
WITHOUT_TLS = {"ssl_context": False}
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


def binaries() -> Path:
    """Where the server's programs are; the test is skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found and (on_path := shutil.which("postgres")):
        found = [Path(on_path).resolve()]
    if not found:
        pytest.skip("there is no PostgreSQL here: tests/install_system_packages.sh installs it")
    return found[-1].parent


@contextmanager
def postgresql(certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """A server with its data in a new directory; gives its address, `postgresql://postgres@127.0.0.1:PORT`.

    With a certificate and its key, every connection must be encrypted.

    Not in a directory of pytest's: those are for their owner alone, and the server does not run as root.
    """
    programs, port = binaries(), free_port()
    user = "postgres" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pilothouse-postgresql-", ignore_cleanup_errors=True) as directory:
        if user:
            shutil.chown(directory, user)
        data = f"{directory}/data"
        given = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
        _run([str(programs / "initdb"), *given], user)
        if certificate:
            _only_encrypted(Path(data), certificate, user)
        control = [str(programs / "pg_ctl"), "-D", data, "-w", "-t", "120"]
        options = f"-p {port} -h 127.0.0.1 -k {directory} " + " ".join(f"-c {one}" for one in _FAST)
        _run([*control, "-l", f"{directory}/log", "-o", options, "start"], user)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _run([*control, "-m", "immediate", "stop"], user)


def _only_encrypted(data: Path, certificate: tuple[Path, Path], user: str | None) -> None:
    """https://www.postgresql.org/docs/current/ssl-tcp.html: a key is for the server's user alone."""
    for source, name in zip(certificate, ("server.crt", "server.key"), strict=True):
        shutil.copyfile(source, data / name)
        (data / name).chmod(0o600)
        if user:
            shutil.chown(data / name, user)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\n")


def _run(command: list[str], user: str | None) -> None:
    """Its output goes to a file: the server that `pg_ctl` leaves behind would hold a pipe open."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, stdout=said, stderr=said, user=user, cwd="/", timeout=180)
        said.seek(0)
        assert done.returncode == 0, said.read()


def new_database(server: str, of: str, template: str = "template1") -> str:
    """The URL of the database of this name's own; made where it is not there yet, as a copy of a `template`."""
    name = "p" + hashlib.sha256(of.encode()).hexdigest()[:20]
    with _administering(server) as connection:
        if not connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first():
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"{server}/{name}"


def copy_directory(template: Path, place: Path) -> None:
    """A copy of a directory that nobody has open, with its `control.db`: that may stand for a database on a server."""
    shutil.copytree(template, place, dirs_exist_ok=True)
    old, new = (opening.address(f"sqlite:///{one / 'control.db'}") for one in (template, place))
    if not new.startswith("sqlite"):
        server, _, name = new.rpartition("/")
        with _administering(server) as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {old.rpartition('/')[2]}")


@contextmanager
def _administering(server: str) -> Iterator[Connection]:
    url = server.replace("postgresql:", "postgresql+pg8000:") + "/postgres"
    engine = create_engine(url, connect_args=WITHOUT_TLS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()
