"""The server that is ended and started again on the same ports and data."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

_READY_SECONDS = 120


class Served:
    """`pilothouse up` as a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = {flag: _free_port() for flag in ("--http", "--otlp-http", "--otlp-grpc")}
        self._process: subprocess.Popen[bytes] | None = None
        self.http = f"http://127.0.0.1:{self._ports['--http']}"
        self.otlp = f"http://127.0.0.1:{self._ports['--otlp-http']}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        ports = [word for flag, port in self._ports.items() for word in (flag, f"127.0.0.1:{port}")]
        command = [sys.executable, "-m", "pilothouse", "up", "--data", str(self._directory / "data"), *ports]
        with (self._directory / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._directory / "stderr.log").read_text()[-4000:])
            time.sleep(0.1)

    def end(self, how: str) -> None:
        """End it: `stop` as Kubernetes does, `kill` as a power cut does."""
        assert self._process
        self._process.send_signal(signal.SIGKILL if how == "kill" else signal.SIGTERM)
        self._process.wait(timeout=120)

    def resident_bytes(self) -> int:
        """The memory that it has now."""
        assert self._process
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.http}/-/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


class Memory(threading.Thread):
    """What the server takes, looked at twice a second."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True, name="soak-memory")
        self._served, self.stop, self.taken = served, threading.Event(), list[int]()

    def run(self) -> None:
        """Until it is stopped; a server that is away takes nothing."""
        while not self.stop.wait(0.5):
            self.taken.append(self._served.resident_bytes())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
