"""`python -m bench.profiles.instructions`: what sampling the heap costs, in instructions, which no load moves.

The handler of `profiled_service` (starlette, JSON, SQLite; no sockets) answers requests with the sampler under
valgrind's callgrind, so many and three times as many: the difference of the two is free of start-up. What the sampler
costs is what callgrind counts in its own code, with whatever it calls to note a block. A run without it is no better
to compare with: two runs of the same program differ by some million instructions, more than the sampler takes.
Beside it: what it takes to look at the table and make the profile of it once, which happens every ten seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

_WHOLE = "PROGRAM TOTALS"
_RARE = {"start", "stop", "take"}
"""Once a process or a profile: the latter is measured apart."""
_LINES = [{"item": item * 7 % 1000, "amount": item} for item in range(20)]


def main() -> None:
    """Measure and print; or be the one that is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.profiles.instructions", description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="the smaller number of requests")
    parser.add_argument("--interval", type=int, default=512 * 1024, help="bytes between two samples")
    parser.add_argument("--alone", nargs=2, metavar=("MODE", "NUMBER"), help="answer so many requests; for valgrind")
    given = parser.parse_args()
    if given.alone:
        _answer(given.alone[0], int(given.alone[1]), given.interval)
        return
    few, many = (_counted("heap", number, given.interval) for number in (given.requests, 3 * given.requests))
    whole, own = ((more - less) / (2 * given.requests) for less, more in zip(few, many, strict=True))
    print(f"{whole - own:,.0f} instructions a request, {own:,.0f} more for the sampler: {own / (whole - own):+.2%}")
    once = _counted("take", given.requests, given.interval)[0] - few[0]
    used = time.process_time()
    _answer("none", 5 * given.requests, given.interval)
    a_second = 5 * given.requests / (time.process_time() - used) * whole
    ten = 10 * a_second
    print(f"{once:,.0f} instructions a profile, of {ten:,.0f} in 10 s of a busy core: {once / ten:+.3%}")


def _counted(mode: str, number: int, interval: int) -> tuple[int, int]:
    """Instructions of a whole process, and those that are the sampler's."""
    with tempfile.TemporaryDirectory() as place:
        profile = f"{place}/profile"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", sys.executable, "-m"]
        command += [__spec__.name, "--interval", str(interval), "--alone", mode, str(number)]
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        alone, within = (_functions(profile, inclusive) for inclusive in ("no", "yes"))
    noting = {name: count for name, count in within.items() if _bare(name) == "sample"}
    own = sum(count for name, count in alone.items() if _bare(name) not in {"sample", *_RARE})
    return alone[_WHOLE], own - alone[_WHOLE] + sum(noting.values())


def _functions(profile: str, inclusive: str) -> dict[str, int]:
    """Instructions of each function of the sampler, and of everything."""
    command = ["callgrind_annotate", "--threshold=100", f"--inclusive={inclusive}", profile]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, int] = {}
    for line in told.splitlines():
        row = re.match(r" *([0-9,]+) \([ 0-9.]+%\)  (.*)", line)
        if row and (_WHOLE in row[2] or "_heap_sampling" in row[2]):
            name = _WHOLE if _WHOLE in row[2] else row[2]
            found[name] = found.get(name, 0) + int(row[1].replace(",", ""))
    return found


def _bare(name: str) -> str:
    return name.rpartition(" [")[0].rpartition(":")[2]


def _answer(mode: str, number: int, interval: int) -> None:
    from bench.profiles.profiled_service import app
    from pilothouse.profiler.heap_sampled import SampledHeap
    from pilothouse.profiler.pprof_writing import pprof

    heap = SampledHeap(interval)
    if mode != "none":
        heap.start()

    async def answer() -> None:
        for one in range(number):
            body = json.dumps({"number": one, "lines": _LINES}).encode()
            scope = {"type": "http", "method": "POST", "path": "/checkout", "headers": [], "query_string": b""}

            async def receive(body: bytes = body) -> dict[str, object]:
                return {"type": "http.request", "body": body}

            await app(scope, receive, _send)

    asyncio.run(answer())
    if mode == "take":
        taken: dict[Any, tuple[int, ...]] = {(stack, ()): values for stack, values in heap.take().items()}
        pprof(taken, heap.types, 0, 10**10, (interval, "space", "bytes"))


async def _send(message: object) -> None:
    pass


if __name__ == "__main__":
    main()
