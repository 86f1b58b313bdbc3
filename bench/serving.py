"""The server under measurement: a real process, its addresses, and what it costs."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_READY = re.compile(
    r"Pilothouse is ready: (?P<http>\S+)\n\s+OTLP over gRPC\s+(?P<grpc>\S+)\n\s+OTLP over HTTP\s+(?P<otlp>\S+)"
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A running `pilothouse up`; addresses are URLs."""

    process: subprocess.Popen[bytes]
    http: str = ""
    grpc: str = ""
    otlp: str = ""

    @property
    def cpu(self) -> float:
        """CPU-seconds, user and system, of the process with all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def peak_bytes(self) -> int:
        """The most memory that was resident."""
        return self._status("VmHWM")

    @property
    def resident_bytes(self) -> int:
        """The memory that is resident."""
        return self._status("VmRSS")

    def forget_peak(self) -> None:
        """Count the peak from now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON answer of an API call; raises `urllib.error.HTTPError` when it is refused."""
        url = f"{self.http}{path}?{urlencode(parameters)}" if parameters else self.http + path
        with urllib.request.urlopen(url, timeout=120) as answer:
            return json.load(answer)

    def wait_until_stored(self, kind: str, seconds: float = 300) -> None:
        """Wait until nothing of this kind is left in the journal, that is: all of it can be queried."""
        deadline = time.monotonic() + seconds
        while self.get("/api/status")["journal_bytes"][kind]:
            assert time.monotonic() < deadline, f"{kind} not stored after {seconds} s"
            time.sleep(0.05)

    def stop(self) -> None:
        """As Ctrl-C ends it; it must end well."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        assert code == 0, f"the server ended with exit code {code}"

    def end(self) -> None:
        """Whatever happened before, leave no process behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(name)


def start(command: str, directory: Path, http: str = "127.0.0.1:0") -> Server:
    """Start `pilothouse up` (by `command`) on free ports with its data in `directory`, and wait until it is ready."""
    process, log = launch(command, directory, http)
    server = Server(process)
    deadline = time.monotonic() + 60
    while not (found := _READY.search(log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "not ready after 60 s"
        time.sleep(0.005)
    server.http, server.otlp = found["http"], found["otlp"]
    server.grpc = found["grpc"].removeprefix("http://")
    return server


def launch(command: str, directory: Path, http: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start the process and do not wait; its stderr goes to the file that is returned."""
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "stderr.log"
    arguments = ["up", "--data", str(directory / "data"), "--http", http, "--otlp-grpc", "127.0.0.1:0",
                 "--otlp-http", "127.0.0.1:0"]  # fmt: skip
    with log.open("wb") as stderr:
        return subprocess.Popen([*shlex.split(command), *arguments], stderr=stderr), log


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether a call is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
