"""Loki push into a server of its own: `python -m bench.logs.pushing TEXT [LINES]` sends lines of a file."""

from __future__ import annotations

import sys
import tempfile
import time
import urllib.request
from itertools import islice
from pathlib import Path

import cramjam

from bench import serving
from pilothouse.signals.receive.loki_messages import Push

STREAMS = 400
_LINES_A_REQUEST = 1000


def main() -> None:
    """Prints MB/s, lines a second, and the server's CPU-seconds a GB and a million lines."""
    text, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
    with text.open("rb") as file:
        lines = [line.rstrip(b"\n") for line in islice(file, count)]
    bodies = [_request(lines[first : first + _LINES_A_REQUEST], first) for first in range(0, count, _LINES_A_REQUEST)]
    with tempfile.TemporaryDirectory(prefix="bench-push-") as directory:
        server = serving.start(f"{sys.executable} -m pilothouse", Path(directory))
        cpu, started = server.cpu, time.perf_counter()
        for body in bodies:
            request = urllib.request.Request(f"{server.http}/loki/api/v1/push", body, method="POST")
            request.add_header("content-type", "application/x-protobuf")
            urllib.request.urlopen(request, timeout=120).close()
        server.wait_until_stored("loki")
        seconds, used = time.perf_counter() - started, server.cpu - cpu
        server.stop()
    size = sum(map(len, lines))
    print(
        f"{len(lines):,} lines, {size / 1e6:.0f} MB of text: {size / seconds / 1e6:.1f} MB/s, "
        f"{len(lines) / seconds:,.0f} lines/s, {used:.1f} CPU-s: {used / size * 1e9:.1f} a GB, "
        f"{used / len(lines) * 1e6:.2f} a million lines"
    )


def _request(lines: list[bytes], first: int) -> bytes:
    """A push of lines that ten streams say, of now, as an agent on a node sends them."""
    push, now = Push(), time.time_ns()
    for number in range(10):
        stream = push.streams.add()
        pod = (first // _LINES_A_REQUEST * 10 + number) % STREAMS
        stream.labels = f'{{service_name="service-{pod % 20}", k8s_namespace_name="shop", k8s_pod_name="pod-{pod}"}}'
        for place, line in enumerate(lines[number::10]):
            entry = stream.entries.add()
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(now + place * 1000, 10**9)
            entry.line = line
    return bytes(cramjam.snappy.compress_raw(push.SerializeToString()))


if __name__ == "__main__":
    main()
