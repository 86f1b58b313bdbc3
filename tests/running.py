"""Runs the real server as its users do, and asks it over its ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from pilothouse.control import opening
from tests.forking import Forked

_READY = re.compile(
    r"Pilothouse is ready: (?P<http>\S+)\n\s+OTLP over gRPC\s+(?P<grpc>\S+)\n\s+OTLP over HTTP\s+(?P<otlp>\S+)"
)


Program = subprocess.Popen[bytes] | Forked


def started(arguments: Sequence[str], stderr: IO[bytes], environment: dict[str, str]) -> Program:
    """`pilothouse ARGUMENTS` as its users start it."""
    return subprocess.Popen([sys.executable, "-m", "pilothouse", *arguments], stderr=stderr, env=environment)


class Starting:
    """How servers are started: the tests fork them, see `tests.forking`."""

    way: Callable[[Sequence[str], IO[bytes], dict[str, str]], Program] = staticmethod(started)


@dataclass
class RunningServer:
    """A server process with its addresses (`http`, `grpc`, `otlp` as URLs) and what it wrote to stderr."""

    process: Program
    log: Path
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def http(self) -> str:
        return self.addresses["http"]

    @property
    def otlp(self) -> str:
        return self.addresses["otlp"]

    @property
    def grpc(self) -> str:
        return self.addresses["grpc"].removeprefix("http://")

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON answer of a call that must succeed."""
        response = httpx.get(self.http + path, params=parameters, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    def wait_for(self, path: str, key: str, least: int, seconds: float = 60, **parameters: Any) -> Any:
        """Ask until the list (or number) under `key` has at least so many."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path, **parameters)
            found = answer[key] if isinstance(answer[key], int) else len(answer[key])
            if found >= least:
                return answer
            assert time.monotonic() < deadline, f"{found} of {least} after {seconds} s; {self.log.read_text()}"
            # Stored is what came 400 ms ago; each question costs the server as much CPU as an insert.
            time.sleep(0.15)

    def kill(self) -> None:
        """As a power cut would end it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As Ctrl-C or Kubernetes ends it; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def start_server(directory: Path, *arguments: str, **environment: str) -> RunningServer:
    """Start `pilothouse up` on free ports with its data in `directory`, and wait until it is ready.

    With `--control postgresql` its control plane is the database that stands for the file in its directory.
    """
    log = directory / "stderr.log"
    # Tenants need an address that names each: those servers keep to files.
    if not environment.get("PILOTHOUSE_TENANTS"):
        environment = control_plane(directory / "data") | environment
    command = [
        "up", "--data", str(directory / "data"), "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0",
        "--otlp-http", "127.0.0.1:0", *arguments,
    ]  # fmt: skip
    with log.open("wb") as stderr:
        process = Starting.way(command, stderr, os.environ | environment)
    running = RunningServer(process, log)
    deadline = time.monotonic() + 180
    while not (found := _READY.search(log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "not ready after 180 s"
        time.sleep(0.02)
    running.addresses = found.groupdict()
    return running


def control_plane(data: Path) -> dict[str, str]:
    """What tells a process where the control plane of this directory is: nothing, where it is the file in it."""
    found = opening.address(f"sqlite:///{data / 'control.db'}")
    # The driver's question whether the server has TLS costs more than the connection.
    return {} if found.startswith("sqlite") else {"PILOTHOUSE_DATABASE": f"{found}?sslmode=disable"}
