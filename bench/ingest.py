"""Ingest through the real ports: one case is a signal, a protocol and a size of request, on an empty store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import payloads, serving
from bench.counting import tables
from bench.payloads import Payload

TABLES = {"logs": "logs", "spans": "spans", "samples": "samples", "histograms": "distributions"}
CONNECTIONS = 8
_PACED_SHARE = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent and how."""

    signal: str
    protocol: str
    records_per_request: int
    records: int


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. Times in seconds or milliseconds as named; CPU in seconds of the whole process."""

    case: Case
    bytes: int
    acknowledged_seconds: float
    stored_seconds: float
    server_cpu: float
    merging_cpu: float
    sender_cpu: float
    peak_bytes: int
    disk_bytes: int
    parts: int
    refused: int
    flat_out: tuple[float, float]
    paced: tuple[float, float]
    paced_rate: float
    paced_cpu: float

    @property
    def cpu_per_million(self) -> float:
        """CPU-seconds of the server per million records."""
        return self.server_cpu / self.case.records * 1e6

    @property
    def records_per_second(self) -> float:
        """From the first request until everything can be queried."""
        return self.case.records / self.stored_seconds


def run(command: str, directory: Path, case: Case) -> Result:
    """Flat out first, then a fifth as much at half of the rate that was reached; every row is counted."""
    paced_records = case.records // _PACED_SHARE // case.records_per_request * case.records_per_request
    payload = payloads.write(directory / "payload", case.signal, case.records + paced_records, case.records_per_request)
    server = serving.start(command, directory)
    try:
        result = _measure(server, payload, case)
        server.stop()
        counted = tables(directory / "data" / "store")
    finally:
        server.end()
    table = counted[TABLES[case.signal]]
    assert table.rows == payload.records, f"{case}: {payload.records} sent, {table.rows} stored"
    disk = sum(found.bytes for name, found in counted.items() if "." not in name)
    shutil.rmtree(directory)
    return Result(case, disk_bytes=disk * case.records // payload.records, parts=table.parts, **result)


def _measure(server: serving.Server, payload: Payload, case: Case) -> dict[str, Any]:
    requests = case.records // case.records_per_request
    before = server.cpu
    sent = send(server, payload, case.protocol, 0, requests)
    server.wait_until_stored(payload.kind)
    stored, cpu = time.time() - sent["begun_at"], server.cpu - before
    time.sleep(5)
    merging = server.cpu - before - cpu
    peak = server.peak_bytes
    rate = requests / stored / 2
    before = server.cpu
    paced = send(server, payload, case.protocol, requests, payload.requests, rate)
    server.wait_until_stored(payload.kind)
    return {
        "bytes": int(payload.offsets[requests]),
        "acknowledged_seconds": sent["seconds"], "stored_seconds": stored, "server_cpu": cpu, "merging_cpu": merging,
        "sender_cpu": sent["cpu"], "peak_bytes": peak, "refused": sent["refused"] + paced["refused"],
        "flat_out": (sent["p50_ms"], sent["p99_ms"]), "paced": (paced["p50_ms"], paced["p99_ms"]),
        "paced_rate": rate * case.records_per_request,
        "paced_cpu": (server.cpu - before) / (payload.requests - requests) / case.records_per_request * 1e6,
    }  # fmt: skip


def send(
    server: serving.Server, payload: Payload, protocol: str, first: int, last: int, rate: float = 0.0
) -> dict[str, Any]:
    """Send requests `first` to `last` from a process of its own; what that process reports."""
    command = [
        sys.executable, "-m", "bench.sending", str(payload.path), server.otlp if protocol == "http" else server.grpc,
        "--kind", payload.kind, "--protocol", protocol, "--connections", str(CONNECTIONS),
        "--first", str(first), "--last", str(last), "--rate", str(rate),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report
