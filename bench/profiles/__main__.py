"""`python -m bench.profiles`: taking, keeping and asking about profiles, on an empty store in a temporary directory.

Profiles of a service's processes are sent to a real server over HTTP. Then the server is stopped, and its store is
filled up in the engine to 50 processes x 24 hours (and the sums by minute to 7 days) by copying rows to other processes
and hours; the questions of the command line and the page are asked on that. CPU-seconds are of all threads; on two idle
cores a question takes about half of them, or less when it does not run in parallel.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from bench import machine, serving
from bench.profiles.asking import ask
from bench.profiles.filling import fill, sizes
from bench.profiles.shapes import SECOND, profile, service
from pilothouse.engine import open_engine


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.profiles", description=__doc__)
    parser.add_argument("--processes", type=int, default=10, help="processes that really send")
    parser.add_argument("--minutes", type=int, default=20, help="how long each of them sends, every 10 s")
    parser.add_argument("--command", default=f"{sys.executable} -m pilothouse")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name:
        figures = measure(Path(name), given.command, given.processes, given.minutes)
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))


def measure(directory: Path, command: str, processes: int, minutes: int) -> dict[str, Any]:
    """All figures."""
    said = machine.here()
    figures: dict[str, Any] = {"machine": f"{said.processor}, {said.cores} cores, load {said.load:.1f}, {said.when}"}
    end = time.time_ns() // (3600 * SECOND) * 3600 * SECOND
    begin = end - minutes * 60 * SECOND
    _say("making profiles")
    bodies = _bodies(begin, processes, minutes * 6)
    _say("sending them")
    server = serving.start(command, directory)
    try:
        figures["ingest"] = _sent(server, bodies)
        server.stop()
    finally:
        server.end()
    engine = open_engine(directory / "data" / "store")
    try:
        gzipped = sum(len(body) for _, body in bodies)
        figures["stored"] = sizes(engine, gzipped, len(bodies))
        _say("filling up to 50 processes and 24 hours")
        fill(engine, processes, minutes, 50, 24, 7)
        _say("asking")
        figures["questions"] = ask(engine, end)
    finally:
        engine.close()
    return figures


def _bodies(begin: int, processes: int, each: int) -> list[tuple[int, bytes]]:
    made, random = service(1), np.random.default_rng(2)
    starts = random.integers(10 * SECOND, size=processes)
    return [
        (
            process,
            profile(made, random, begin + turn * 10 * SECOND + int(starts[process]), int(random.integers(300, 900))),
        )
        for turn in range(each)
        for process in range(processes)
    ]


def _busy(random: np.random.Generator) -> int:
    """Samples in ten seconds: 30 to 90 % of one core at 100 Hz."""
    return int(random.integers(300, 900))


def _sent(server: serving.Server, bodies: list[tuple[int, bytes]]) -> dict[str, float]:
    address = urlsplit(server.http)
    client = http.client.HTTPConnection(address.hostname or "", address.port)
    cpu, began = server.cpu, time.perf_counter()
    for process, body in bodies:
        labels = f"shop{{service_version=1.0.0,service_instance_id=shop-{process}}}"
        client.request("POST", f"/pyroscope/ingest?name={quote(labels)}&format=pprof", body)
        answer = client.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    acknowledged = time.perf_counter() - began
    server.wait_until_stored("profiles")
    count = len(bodies)
    return {
        "profiles": count,
        "profiles a second": count / acknowledged,
        "server CPU ms a profile": (server.cpu - cpu) / count * 1000,
        "gzipped bytes a profile": sum(len(body) for _, body in bodies) / count,
        "unpacked bytes a profile": sum(len(gzip.decompress(body)) for _, body in bodies[:50]) / 50,
        "peak MB": server.peak_bytes / 1e6,
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
