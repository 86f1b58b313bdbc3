"""`python -m bench.profiles.overhead`: what `pilothouse.profiler` costs a service, in CPU time a request.

One process of a small service (starlette, JSON, SQLite) answers the same requests over HTTP with and without a
profiler, turn by turn, so that whatever else the machine does meets both. Each turn with a profiler has its start, its
samples, and its profiles made and sent. What is printed is the median over pairs of turns, with a 95 % interval.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
import time

import numpy as np

_MODES = ("heap", "cpu", "both")
_LINES = [{"item": item * 7 % 1000, "amount": item} for item in range(20)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.profiles.overhead", description=__doc__)
    parser.add_argument("--pairs", type=int, default=12, help="turns without and with, for each kind")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long a turn is; a profile is sent every 10 s")
    given = parser.parse_args()
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    port = _free_port()
    command = [sys.executable, "-m", "bench.profiles.profiled_service", str(port)]
    service = subprocess.Popen([*command, f"http://127.0.0.1:{sink.server_port}"])
    try:
        client = _connected(port)
        _turn(client, "none", min(given.seconds, 3))
        for mode in _MODES:
            ratios = [
                _turn(client, mode, given.seconds) / _turn(client, "none", given.seconds) for _ in range(given.pairs)
            ]
            _say(mode, np.array(ratios))
    finally:
        service.terminate()
        service.wait()


def _turn(client: http.client.HTTPConnection, mode: str, seconds: float) -> float:
    """CPU-seconds of the service a request, with this profiler."""
    before, number = _ask(client, f"/profile?with={mode}", b""), 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        number += 1
        _ask(client, "/checkout", json.dumps({"number": number, "lines": _LINES}).encode())
    return (_ask(client, "/profile?with=none", b"") - before) / number


def _say(mode: str, ratios: np.ndarray) -> None:
    random = np.random.default_rng(1)
    medians = np.median(random.choice(ratios, (2000, len(ratios))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    print(f"{mode:5} {np.median(ratios) - 1:+.2%} ({low - 1:+.2%} to {high - 1:+.2%}) CPU a request", flush=True)


def _ask(client: http.client.HTTPConnection, path: str, body: bytes) -> float:
    client.request("POST", path, body, {"content-type": "application/json"})
    answer = client.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    found = json.loads(text)
    return found if isinstance(found, float) else 0.0


def _connected(port: int) -> http.client.HTTPConnection:
    ends = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return http.client.HTTPConnection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class _Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    main()
