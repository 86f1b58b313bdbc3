"""Pushes weights to real Envoys: `python -m bench.mesh.pushing [ENVOYS...]`, by default 1, 10 and 50.

For each number of Envoys: how long from `apply` until all have accepted a shift, and until a request is answered by the
backend that got the weight (one client on one of the Envoys, with kept-alive connections); memory of both sides.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import resource
import statistics
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from pilothouse.mesh.envoy.binary import find
from pilothouse.mesh.envoy.local import LocalMesh, local_mesh
from pilothouse.mesh.envoy.running import RunningMesh
from pilothouse.mesh.model import Backend, Configuration, Name, TrafficSplit
from tests.mesh.test_envoy import Backends

_SHIFTS = 20
_FIRST_PORT = 21_000


def mesh_of(envoys: int, traffic: Traffic) -> tuple[LocalMesh, list[int]]:
    """That many proxies that all reach one divided service, each at a port of its own."""
    # Below the ports that the system gives to outgoing connections.
    ports = [_FIRST_PORT + number for number in range(envoys)]
    services = [{"name": f"shop/{name}", "endpoints": [f"127.0.0.1:{port}"]} for name, port in traffic.ports.items()]
    services.append({"name": "shop/checkout", "endpoints": [f"127.0.0.1:{traffic.ports['v1']}"]})
    proxies = [
        {"name": f"p{number}", "account": f"shop/p{number}", "outbound": {"shop/checkout": f"127.0.0.1:{port}"}}
        for number, port in enumerate(ports)
    ]
    return local_mesh({"services": services, "proxies": proxies}, "bench"), ports


def shifted(first: int) -> Configuration:
    """All to one backend, or to the other; both stay known."""
    made = Configuration()
    split = (Backend("v1", first), Backend("v2", 1000 - first))
    made.add(TrafficSplit(Name("shop", "s"), "checkout", split))
    return made


class Traffic:
    """Backends, and a client that asks one Envoy again and again and notes when an awaited backend answers first.

    In a process of their own: what they compute is not the control plane's. The client waits a millisecond between two
    requests, since the machine is the Envoys' too.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_traffic, args=(names, theirs), daemon=True)
        self._process.start()
        self.ports: dict[str, int] = self._pipe.recv()

    def begin(self, port: int) -> None:
        """Ask the Envoy at this port from now on."""
        self._pipe.send(("begin", port))
        self._pipe.recv()

    def expect(self, backend: str) -> None:
        """From now on look out for this one."""
        self._pipe.send(("expect", backend))
        self._pipe.recv()

    def answered(self) -> float:
        """When it answered first (monotonic, which is one clock for all processes of a machine)."""
        self._pipe.send(("answered", None))
        when: float = self._pipe.recv()
        return when

    def end(self) -> tuple[int, int]:
        """Ask no more; requests that failed, and all."""
        self._pipe.send(("end", None))
        found: tuple[int, int] = self._pipe.recv()
        return found

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


class _Client:
    def __init__(self, port: int) -> None:
        self.wanted = ""
        self.found = threading.Event()
        self.when = 0.0
        self.failed = self.count = 0
        self.over = False
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.over:
            self._connection.request("GET", "/")
            answer = self._connection.getresponse()
            body = answer.read().decode()
            self.count += 1
            self.failed += answer.status != 200
            if body == self.wanted and not self.found.is_set():
                self.when = time.monotonic()
                self.found.set()
            time.sleep(0.001)


def _traffic(names: tuple[str, ...], pipe: Connection) -> None:
    backends = Backends(names)
    pipe.send(backends.ports)
    client: _Client | None = None
    while True:
        word, value = pipe.recv()
        if word == "begin":
            client = _Client(value)
            pipe.send(None)
        assert client
        if word == "expect":
            client.found.clear()
            client.wanted = value
            pipe.send(None)
        elif word == "answered":
            assert client.found.wait(60)
            pipe.send(client.when)
        elif word == "end":
            client.over = True
            client.thread.join()
            pipe.send((client.failed, client.count))


def rss(pid: int | str) -> float:
    """Resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def measure(envoys: int, delta: bool, traffic: Traffic) -> None:
    mesh, ports = mesh_of(envoys, traffic)
    with RunningMesh(mesh, find(), delta=delta) as running:
        running.apply(shifted(1000))
        running.start()
        for name in mesh.proxies:
            assert running.discovery.wait_until_accepted(name, 120), running.discovery.state(name)
        before = rss("self")
        traffic.begin(ports[0])
        accepted, first = [], []
        spent = time.process_time()
        for number in range(_SHIFTS):
            weight, wanted = (0, "v2") if number % 2 == 0 else (1000, "v1")
            time.sleep(0.2)
            traffic.expect(wanted)
            begun = time.monotonic()
            running.apply(shifted(weight))
            for name in mesh.proxies:
                assert running.discovery.wait_until_accepted(name, 60)
            accepted.append(time.monotonic() - begun)
            first.append(traffic.answered() - begun)
        spent = time.process_time() - spent
        failed, count = traffic.end()
        memory = [rss(pid) for pid in running.pids().values()]
        kind = "delta" if delta else "state of the world"
        print(f"{envoys:3} Envoys, {kind}: accepted by all {ms(accepted)}; "
              f"first request on the new weight {ms(first)}; "
              f"{failed} of {count} requests failed")  # fmt: skip
        print(f"    control plane {before:.0f} MB, {1000 * spent / _SHIFTS:.0f} CPU-ms a shift; "
              f"an Envoy {statistics.mean(memory):.0f} MB")  # fmt: skip


def ms(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{1000 * statistics.median(ordered):.0f} ms (worst {1000 * ordered[-1]:.0f})"


def main() -> None:
    wanted = [int(text) for text in sys.argv[1:]] or [1, 10, 50]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: the machine is shared")
    traffic = Traffic(("v1", "v2"))
    for envoys in wanted:
        for delta in (False, True):
            measure(envoys, delta, traffic)
    traffic.close()


if __name__ == "__main__":
    main()
