"""`python -m bench.profiles.planted`: whether a difference names what was planted in a real program, and nothing else.

Processes of `planted_program` run at once under `pilothouse.profiler` and send to a real server: one half as it is, one
half with 5 % more iterations in one function and 20 MB more at one call site. The difference of the two is asked for by
the API as a person would. Then the processes without the plant are compared with each other: 35 ways to put them into
two halves (with eight processes all there are), in three parts of the time: 105 comparisons of a program with itself,
of CPU and of held memory. They share their data, so they are not 105 independent runs.

CPU is compared per request, each a span of the OpenTelemetry SDK: a program that is always busy uses as much
CPU whether or not it became slower, and serves less for it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import machine, serving

_VERSIONS = {"1": (1.0, 0), "2": (1.05, 20_000_000)}
_TYPES = {"cpu": "request", "inuse_space": "total"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.profiles.planted", description=__doc__)
    parser.add_argument("--processes", type=int, default=8, help="of each version")
    parser.add_argument("--seconds", type=float, default=30.0, help="of CPU, each process")
    parser.add_argument("--command", default=f"{sys.executable} -m pilothouse")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name:
        server = serving.start(given.command, Path(name))
        try:
            print(json.dumps(_measured(server, given.processes, given.seconds), indent=2))
            server.stop()
        finally:
            server.end()


def _measured(server: serving.Server, processes: int, seconds: float) -> dict[str, Any]:
    said, began = machine.here(), time.time()
    program = [sys.executable, "-m", "bench.profiles.planted_program"]
    working = [
        subprocess.Popen(
            [*program, server.http, server.otlp, version, f"{version}-{number}", str(slower), str(more), str(seconds)]
        )
        for number in range(processes)
        for version, (slower, more) in _VERSIONS.items()
    ]
    assert not any(one.wait() for one in working)
    for kind in ("profiles", "traces"):
        server.wait_until_stored(kind)
    ended = time.time()
    figures: dict[str, Any] = {"machine": f"{said.processor}, {said.cores} cores, load {said.load:.1f}, {said.when}"}
    figures |= {"processes": 2 * processes, "CPU seconds each": seconds, "wall seconds": round(ended - began)}
    for type in _TYPES:
        found = _asked(server, type, began, ended, "1", "2")
        figures[f"planted, {type}"] = [_told(one) for one in found["functions"][:8]]
        same = [
            _asked(server, type, start, end, *sides)
            for start, end in _parts(began, ended)
            for sides in _halves(processes)
        ]
        named = [one["functions"][0]["function"] for one in same if one["found"]]
        figures[f"with itself, {type}"] = {"comparisons": len(same), "named something": len(named), "what": named}
    return figures


def _parts(began: float, ended: float) -> list[tuple[float, float]]:
    third = (ended - began) / 3
    return [(began + number * third, began + (number + 1) * third) for number in range(3)]


def _halves(processes: int) -> list[tuple[str, str]]:
    pods = [f"1-{number}" for number in range(processes)]
    halves = [set(half) for half in itertools.combinations(pods, processes // 2) if pods[0] in half]
    chosen = random.Random(1).sample(halves, min(len(halves), 35))
    return [(_these(half), _these(set(pods) - half)) for half in chosen]


def _these(pods: set[str]) -> str:
    return f'k8s_pod_name=~"{"|".join(sorted(pods))}"'


def _asked(server: serving.Server, type: str, start: float, end: float, baseline: str, candidate: str) -> Any:
    return server.get(
        "/api/profiles/diff", service="planted", type=type, per=_TYPES[type], baseline=baseline, candidate=candidate,
        start=f"{start:.3f}", end=f"{end:.3f}", nodes=16,
    )  # fmt: skip


def _told(one: dict[str, Any]) -> str:
    low, high = one["self_interval"] or (float("-inf"), float("inf"))
    before = one["baseline_self"] or 1
    moved = [f"{value / before:+.1%}" for value in (one["candidate_self"] - one["baseline_self"], low, high)]
    return f"{one['function']}: {moved[0]} ({moved[1]} to {moved[2]}){' NAMED' if one['self_found'] else ''}"


if __name__ == "__main__":
    main()
