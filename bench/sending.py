"""The load generator, a process of its own: `python -m bench.sending` sends a payload file and prints what it saw.

It does as little as it can for a request: the bytes come from a mapped file, HTTP is written by hand on a socket.
"""

from __future__ import annotations

import argparse
import json
import mmap
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

Send = Callable[[Any], float]
"""Sends one request; returns 0 when it was acknowledged, or the seconds after which to try again."""

_GRPC_METHODS = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}


def http_sender(address: str, kind: str) -> Send:
    """A sender with a connection of its own to `http://host:port`."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = (
        f"POST /v1/{kind} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/x-protobuf\r\ncontent-length: "
    ).encode()

    def send(body: Any) -> float:
        start = head + str(len(body)).encode() + b"\r\n\r\n"
        sent = connection.sendmsg((start, body)) - len(start)
        if sent < len(body):
            connection.sendall(body[sent:])
        return _read_answer(connection)

    return send


def _read_answer(connection: socket.socket) -> float:
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        answer += part
    lines = answer[:end].decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    missing = int(headers.get("content-length", 0)) - (len(answer) - end - 4)
    while missing > 0:
        missing -= len(connection.recv(missing))
    status = int(lines[0].split()[1])
    if status == 200 and int(headers.get("content-length", 0)) == 0:
        return 0.0
    if status == 503:
        return float(headers["retry-after"])
    raise ConnectionError(f"refused: {lines[0]} {answer[end:]!r}")


def grpc_sender(address: str, kind: str) -> Send:
    """A sender with a channel of its own to `host:port`."""
    import grpc

    channel = grpc.insecure_channel(
        address, options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    )
    call = channel.unary_unary(_GRPC_METHODS[kind])

    def send(body: Any) -> float:
        try:
            if answer := call(bytes(body), timeout=120):
                raise ConnectionError(f"taken in part: {answer!r}")
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return 1.0
            raise
        return 0.0

    return send


class Load:
    """Requests `first` to `last` of a payload, sent by several connections, as fast as they go or at a rate."""

    def __init__(self, path: Path, first: int, last: int, rate: float) -> None:
        self._offsets = np.load(path.with_suffix(".npy"))
        file = path.open("rb")
        self._bytes = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        self._next, self._first, self._last, self._rate = first, first, last, rate
        self._lock = threading.Lock()
        self.latencies = np.zeros(last - first)
        self.refused = 0
        self.failure = ""
        self.begun = self.ended = self.begun_at = 0.0

    def run(self, senders: list[Send]) -> None:
        """Send everything; `failure` says what went wrong."""
        threads = [threading.Thread(target=self._send_all, args=(send,)) for send in senders]
        self.begun, self.begun_at = time.perf_counter(), time.time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.ended = time.perf_counter()

    def _send_all(self, send: Send) -> None:
        try:
            while not self.failure:
                with self._lock:
                    number = self._next
                    self._next += 1
                if number >= self._last:
                    return
                self._send(send, number)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _send(self, send: Send, number: int) -> None:
        place = number - self._first
        body = self._bytes[int(self._offsets[number]) : int(self._offsets[number + 1])]
        started = time.perf_counter()
        if self._rate:
            # Latency counts from when the request was due, so that a server that stalls is not let off.
            due = self.begun + place / self._rate
            if due > started:
                time.sleep(due - started)
            started = due
        while wait := send(body):
            self.refused += 1
            time.sleep(wait)
        self.latencies[place] = time.perf_counter() - started


def main() -> None:
    """Send and print the result as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("payload", type=Path)
    parser.add_argument("address")
    parser.add_argument("--kind", required=True, choices=_GRPC_METHODS)
    parser.add_argument("--protocol", choices=("http", "grpc"), default="http")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as fast as they go")
    given = parser.parse_args()
    load = Load(given.payload, given.first, given.last, given.rate)
    sender = http_sender if given.protocol == "http" else grpc_sender
    load.run([sender(given.address, given.kind) for _ in range(given.connections)])
    p50, p99 = np.percentile(load.latencies, (50, 99)) * 1000
    cpu = time.process_time()
    print(
        json.dumps(
            {
                "begun_at": load.begun_at, "seconds": load.ended - load.begun, "cpu": cpu, "p50_ms": p50, "p99_ms": p99,
                "max_ms": load.latencies.max() * 1000, "refused": load.refused, "failure": load.failure,
            }
        )
    )  # fmt: skip
    sys.exit(1 if load.failure else 0)


if __name__ == "__main__":
    main()
