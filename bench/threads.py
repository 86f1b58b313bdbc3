"""Where the server's CPU goes, by thread: `python -m bench.threads SIGNAL RECORDS RECORDS_PER_REQUEST`.

The server has stored some records before it is looked at, so that what it does once is left out. Python's threads are
told apart by what py-spy reads of them, the engine's by the names that it gives them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench import ingest, machine, payloads, serving

_BEFORE = 20_000
_NAMED = re.compile(r'Thread (\d+) \([^)]*\): "([^"]*)"')
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.threads", description=__doc__)
    parser.add_argument("signal", choices=payloads.SIGNALS)
    parser.add_argument("records", type=int)
    parser.add_argument("size", type=int, help="records a request")
    parser.add_argument("--protocol", choices=("http", "grpc"), default="http")
    given = parser.parse_args()
    machine.touch_memory()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name:
        directory = Path(name)
        payload = payloads.write(directory / "payload", given.signal, given.records + _BEFORE, given.size)
        server = serving.start(f"{sys.executable} -m pilothouse", directory / "server")
        try:
            used = _measure(server, payload, given.protocol, _BEFORE // given.size)
            server.stop()
        finally:
            server.end()
    millions = given.records / 1e6
    sys.stdout.write(f"{used.total() / millions:6.2f} CPU-seconds per million, load {os.getloadavg()[0]:.1f}\n")
    for thread, seconds in used.most_common():
        if seconds / millions >= 0.02:
            sys.stdout.write(f"{seconds / millions:6.2f} {thread}\n")


def _measure(server: serving.Server, payload: payloads.Payload, protocol: str, first: int) -> Counter[str]:
    ingest.send(server, payload, protocol, 0, first)
    server.wait_until_stored(payload.kind)
    time.sleep(1)
    before = _seconds(server.process.pid)
    ingest.send(server, payload, protocol, first, payload.requests)
    server.wait_until_stored(payload.kind)
    after, names = _seconds(server.process.pid), _names(server.process.pid)
    used = Counter[str]()
    for thread, (name, seconds) in after.items():
        used[re.sub(r"[-_]?\d+$", "", names.get(thread, name))] += seconds - before.get(thread, (name, 0.0))[1]
    return used


def _seconds(process: int) -> dict[int, tuple[str, float]]:
    """Each thread's name and CPU-seconds, user and system (proc(5), /proc/PID/task/TID/stat)."""
    found = {}
    for thread in Path(f"/proc/{process}/task").iterdir():
        try:
            head, _, rest = (thread / "stat").read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        fields = rest.split()
        found[int(thread.name)] = head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS
    return found


def _names(process: int) -> dict[int, str]:
    spy = Path(sys.executable).with_name("py-spy")
    dumped = subprocess.run([spy, "dump", "--pid", str(process)], capture_output=True, text=True, check=True).stdout
    return {int(thread): name for thread, name in _NAMED.findall(dumped)}


if __name__ == "__main__":
    main()
