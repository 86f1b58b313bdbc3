"""What the server costs when nothing happens, and how soon it answers after its start."""

from __future__ import annotations

import shlex
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import serving
from bench.serving import Server

_QUESTION = "/api/logs?count=1&since=5m"


@dataclass(frozen=True, slots=True)
class Idle:
    """CPU as a share of one core, resident bytes."""

    cpu: float
    resident_bytes: int


def idle(server: Server, seconds: float) -> Idle:
    """Watch a server that nobody asks anything."""
    before, started = server.cpu, time.perf_counter()
    time.sleep(seconds)
    return Idle((server.cpu - before) / (time.perf_counter() - started), server.resident_bytes)


def first_answer(command: str, directory: Path) -> float:
    """Seconds from the start of the process to the first answer about logs; stops the server again."""
    port = serving.free_port()
    started = time.perf_counter()
    process, log = serving.launch(command, directory, f"127.0.0.1:{port}")
    server = Server(process)
    try:
        while not serving.answers(f"http://127.0.0.1:{port}{_QUESTION}"):
            assert process.poll() is None, log.read_text()
            assert time.perf_counter() - started < 60, "no answer after 60 s"
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        server.stop()
    finally:
        server.end()
    return seconds


def help_seconds(command: str) -> float:
    """The median time of `pilothouse --help`."""
    times = []
    for _ in range(7):
        started = time.perf_counter()
        subprocess.run([*shlex.split(command), "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
