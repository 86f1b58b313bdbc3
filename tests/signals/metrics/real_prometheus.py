"""The real Prometheus (Debian's package) on a free port, with the same samples as we get."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cramjam
import httpx

from pilothouse.signals.receive.remote_write_messages import WriteRequest
from tests.ports import free_port

BINARY = os.environ.get("PILOTHOUSE_PROMETHEUS") or shutil.which("prometheus")
"""Where it is; another version can be named for a test run."""

Sample = tuple[int, float]
HEADERS = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}


@dataclass
class RealPrometheus:
    """A running Prometheus."""

    process: subprocess.Popen[bytes]
    http: str
    version: tuple[int, ...]

    def get(self, path: str, parameters: Any = ()) -> httpx.Response:
        return httpx.get(f"{self.http}/api/v1/{path}", params=parameters, timeout=60)

    def write(self, body: bytes) -> None:
        response = httpx.post(f"{self.http}/api/v1/write", content=body, headers=HEADERS, timeout=60)
        assert response.status_code in (200, 204), response.text

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


def start_prometheus(directory: Path, config: str = "", *arguments: str) -> RealPrometheus:
    """Start it with an empty store in `directory` and wait until it is ready."""
    assert BINARY
    port = free_port()
    file = directory / "prometheus.yml"
    file.write_text(config or "scrape_configs: []\n")
    command = [
        BINARY, f"--config.file={file}", f"--storage.tsdb.path={directory / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
        "--enable-feature=native-histograms,promql-experimental-functions,exemplar-storage", *arguments,
    ]  # fmt: skip
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{address}/-/ready").status_code == 200:
                break
        except httpx.TransportError:
            pass
        assert process.poll() is None, (directory / "prometheus.log").read_text()
        assert time.monotonic() < deadline, "Prometheus is not ready after 30 s"
        time.sleep(0.05)
    said = httpx.get(f"{address}/api/v1/status/buildinfo").json()["data"]["version"]
    version = tuple(int(part) for part in said.partition("+")[0].split(".")[:2])
    return RealPrometheus(process, address, version)


def encoded(series: Iterable[tuple[dict[str, str], list[Sample]]]) -> bytes:
    """A remote write request of these series."""
    request = WriteRequest()
    for labels, samples in series:
        added = request.timeseries.add()
        for name in sorted(labels):
            added.labels.add(name=name, value=labels[name])
        for moment, value in samples:
            added.samples.add(timestamp=moment, value=value)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
