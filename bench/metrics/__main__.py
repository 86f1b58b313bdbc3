"""`python -m bench.metrics [--series N] [--hours H]`

Starts `pilothouse up` and Prometheus with empty stores in a temporary directory, writes the same requests to both by
remote write (one sender, to one after the other), asks both ten queries as dashboards do, and prints what it took.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.metrics.requests import batches, moments_together
from pilothouse.engine import open_engine
from tests.running import start_server
from tests.signals.metrics.real_prometheus import HEADERS, start_prometheus

QUERIES = (
    ("raw", "node_cpu_seconds_total{cpu='0',mode='idle'}"),
    ("rate", "rate(node_cpu_seconds_total{mode='user'}[5m])"),
    ("sum of rates", "sum(rate(node_cpu_seconds_total[5m]))"),
    ("sum of rates by", "sum by (instance, mode) (rate(node_cpu_seconds_total[5m]))"),
    ("share", "1 - avg by (instance) (rate(node_cpu_seconds_total{mode='idle'}[5m]))"),
    ("top", "topk(5, sum by (instance) (rate(node_cpu_seconds_total[5m])))"),
    ("maximum over time", "max_over_time(node_load1[1h])"),
    ("average over time", "avg by (instance) (avg_over_time(node_load1[10m]))"),
    ("quantile", "quantile(0.9, rate(node_cpu_seconds_total[5m]))"),
    ("matching", "rate(node_cpu_seconds_total{mode='user'}[5m]) / on (instance) group_left () node_load1"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop writing after so many")
    parser.add_argument("--step", type=int, default=240, help="seconds between the points of a query")
    parser.add_argument("--rounds", type=int, default=6, help="how often each is asked; once is not counted")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = measure(Path(directory), given)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))
    report(figures)


def measure(directory: Path, given: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    series, hours = given.series, given.hours
    end = int(time.time()) // 15 * 15 * 1000 - 60_000
    ours, theirs = start_server(directory), start_prometheus(directory)
    try:
        figures: dict[str, Any] = {"series": series}
        both = {
            "pilothouse": (f"{ours.http}/prometheus", ours.process.pid),
            "prometheus": (theirs.http, theirs.process.pid),
        }
        requests, taken = written(both, batches(series, hours, end), given.minutes)
        unwritten = max(0, round(hours * 240) - requests * moments_together(series))
        hours, end = hours - unwritten / 240, end - unwritten * 15_000
        figures |= taken | {"hours": hours, "samples": series * round(hours * 240)}
        settle(ours.http, figures["samples"], end)
        figures["pilothouse"]["bytes at once"] = _bytes(ours) / figures["samples"]
        figures["prometheus"]["bytes a sample"] = _size(directory / "prometheus") / figures["samples"]
        span = {"start": end / 1000 - hours * 3600 + 600, "end": end / 1000, "step": given.step}
        for name, query in QUERIES:
            asking = {"query": query, **span}
            times = {who: asked(address, process, asking, given.rounds) for who, (address, process) in both.items()}
            figures.setdefault("queries", {})[name] = times
            sys.stderr.write(f"{name}: {json.dumps(times)}\n")
        for who, (_, process) in both.items():
            figures[who]["most memory"] = _most_memory(process)
        ours.stop()
        figures["pilothouse"]["bytes a sample"] = _kept(directory) / figures["samples"]
        return figures
    finally:
        ours.stop()
        theirs.stop()


def written(
    both: dict[str, tuple[str, int]], bodies: Iterator[bytes], minutes: float
) -> tuple[int, dict[str, dict[str, float]]]:
    """How many requests were written within these minutes; seconds and CPU seconds that they took each server.

    They are made once, for both.
    """
    requests, until = 0, time.monotonic() + 60 * minutes
    took, before = dict.fromkeys(both, 0.0), {who: _cpu(process) for who, (_, process) in both.items()}
    with httpx.Client(timeout=120) as client:
        for body in bodies:
            for who, (address, _) in both.items():
                begun = time.perf_counter()
                response = client.post(f"{address}/api/v1/write", content=body, headers=HEADERS)
                took[who] += time.perf_counter() - begun
                assert response.status_code in (200, 204), f"{who}: {response.text}"
            requests += 1
            if time.monotonic() > until:
                break
    return requests, {
        who: {"seconds": took[who], "cpu": _cpu(process) - before[who], "pid": process}
        for who, (_, process) in both.items()
    }


def settle(http: str, samples: int, end: int) -> None:
    """Wait until everything that was written can be asked for."""
    deadline = time.monotonic() + 600
    query = {"query": "count(node_load1)", "time": end / 1000}
    while time.monotonic() < deadline:
        waiting = httpx.get(f"{http}/api/status").json()["journal_bytes"].get("remote_write", 0)
        answer = httpx.get(f"{http}/prometheus/api/v1/query", params=query, timeout=60).json()
        if not waiting and answer["data"]["result"]:
            return
        time.sleep(0.2)
    raise TimeoutError("not stored after ten minutes")


def asked(address: str, process: int, parameters: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Median and least milliseconds of a range query, of CPU as well, how many points it has; or its `error`."""
    times, points, cpu = [], 0, _cpu(process)
    with httpx.Client(timeout=600) as client:
        for _ in range(rounds):
            begun = time.perf_counter()
            response = client.get(f"{address}/api/v1/query_range", params=parameters)
            times.append((time.perf_counter() - begun) * 1000)
            if response.status_code != 200:
                return {"error": f"{response.status_code} {response.text[:200]}", "median": times[-1], "cpu": 0.0}
            points = sum(len(row["values"]) for row in response.json()["data"]["result"])
    spent = (_cpu(process) - cpu) * 1000 / rounds
    return {"median": statistics.median(times[1:]), "least": min(times[1:]), "points": points, "cpu": spent}


def _most_memory(process: int) -> float:
    """Megabytes that a process had at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _size(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def _bytes(ours: Any) -> int:
    data = ours.log.parent / "data" / "store"
    return _size(data / "store") if (data / "store").exists() else _size(data)


def _kept(directory: Path) -> int:
    """What the tables of metrics take, without parts that were merged into others and wait to be deleted."""
    engine = open_engine(directory / "data" / "store")
    table = engine.query(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
        "AND table IN ('series', 'samples', 'distributions', 'exemplars', 'metadata', 'resources')"
    )
    engine.close()
    return int(table.column(0)[0].as_py())


def report(figures: dict[str, Any]) -> None:
    """As a table."""
    out = sys.stdout
    out.write(f"{figures['series']} series, {figures['hours']:g} h, {figures['samples']:,} samples\n")
    for who in ("pilothouse", "prometheus"):
        found = figures[who]
        out.write(
            f"{who}: {figures['samples'] / found['seconds']:,.0f} samples/s, "
            f"{figures['samples'] / max(found['cpu'], 0.01):,.0f} samples per CPU second, "
            f"{found['bytes a sample']:.2f} bytes a sample, at most {found['most memory']:,.0f} MB"
            f"{' (right after: ' + format(found['bytes at once'], '.2f') + ')' if who == 'pilothouse' else ''}\n"
        )
    ratios, spent = [], []
    for name, times in figures["queries"].items():
        if failed := {who: found["error"] for who, found in times.items() if "error" in found}:
            out.write(f"{name:20} {failed}\n")
            continue
        ours, theirs = times["pilothouse"]["median"], times["prometheus"]["median"]
        ratios.append(ours / theirs)
        spent.append(times["pilothouse"]["cpu"] / max(times["prometheus"]["cpu"], 1))
        out.write(
            f"{name:20} {ours:9.1f} ms {theirs:9.1f} ms  ratio {ours / theirs:5.2f}  of CPU {spent[-1]:5.2f}  "
            f"{times['pilothouse']['points']} points\n"
        )
    out.write(f"median ratio {float(np.median(ratios)):.2f}, of CPU {float(np.median(spent)):.2f}\n")


if __name__ == "__main__":
    main()
