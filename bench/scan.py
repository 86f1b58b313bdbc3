"""Ten million log lines through OTLP into a store and as text into a file; then both are searched."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import ingest, payloads
from bench.counting import tables
from bench.scanning import SCANS, Scan, forget_pages
from bench.serving import Server

_ROUND = 1_000_000
_OPTIONS = {"substring": ["-F"], "ignoring case": ["-F", "-i"], "expression": []}


@dataclass(frozen=True, slots=True)
class Text:
    """What a tool for text needed for the same search of the same lines, warm and cold; seconds."""

    seconds: float
    cpu: float
    cold_seconds: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """All scans, and what was scanned: `texts` holds each tool's result by tool and scan."""

    lines: int
    text_bytes: int
    disk_bytes: int
    body_disk_bytes: int
    scans: list[Scan]
    through_api: dict[str, float]
    texts: dict[str, dict[str, Text]]
    versions: dict[str, str]


def load(server: Server, directory: Path, lines: int) -> Path:
    """Send the lines in rounds of a million; returns the text file with the same lines."""
    text = directory / "lines.txt"
    with text.open("wb") as file:
        for turn, done in enumerate(range(0, lines, _ROUND)):
            count = min(_ROUND, lines - done)
            payload = payloads.write(directory / "payload", "logs", count, 1000, file, seed=turn)
            ingest.send(server, payload, "http", 0, payload.requests)
            server.wait_until_stored("logs")
    payload.path.unlink()
    return text


def through_api(server: Server) -> dict[str, float]:
    """Seconds of the substring scans by HTTP, from the request to the answer; the better of two."""
    return {
        name: min(_asked(server, pattern) for _ in range(2))
        for name, (how, pattern) in SCANS.items()
        if how == "substring"
    }


def scan(store: Path, text: Path, lines: int, asked: dict[str, float]) -> Scanned:
    """Search the stopped server's store and the text; both must find the same."""
    found = tables(store)
    counted = found["logs"]
    assert counted.rows == lines, f"{lines} lines sent, {counted.rows} stored"
    ran = subprocess.run([sys.executable, "-m", "bench.scanning", str(store)], stdout=subprocess.PIPE, check=True)
    scans = [Scan(**one) for one in json.loads(ran.stdout)]
    tools = [tool for tool in ("grep", "rg") if shutil.which(tool)]
    texts = {tool: {one.name: _searched(tool, one, text) for one in scans} for tool in tools}
    versions = {tool: _version(tool) for tool in tools}
    return Scanned(lines, text.stat().st_size, counted.bytes, found["logs.body"].bytes, scans, asked, texts, versions)


def _asked(server: Server, pattern: str) -> float:
    started = time.perf_counter()
    server.get("/api/logs", count=1, contains=pattern, since="6h")
    return time.perf_counter() - started


def _searched(tool: str, scan: Scan, text: Path) -> Text:
    how, pattern = SCANS[scan.name]
    options = [*(_OPTIONS[how] or (["-E"] if tool == "grep" else [])), "-c", "-e", pattern, str(text)]
    forget_pages(text)
    cold, _ = _ran([tool, *options], scan.found)
    seconds, cpu = min(_ran([tool, *options], scan.found) for _ in range(2))
    return Text(seconds, cpu, cold)


def _ran(command: list[str], expected: int) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}, check=False)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    # Both leave with 1 when nothing was found, and rg then prints nothing.
    found = int(ran.stdout.strip() or 0)
    assert ran.returncode in (0, 1), ran.stderr
    assert found == expected, f"{command[0]} finds {found}, the store {expected}"
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _version(tool: str) -> str:
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
