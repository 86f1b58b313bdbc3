"""The controller at size: `python -m bench.mesh.controlling [RESOURCES] [MESH] [NAMESPACES]`: 10,000, istio, 50.

A stand-in API server in a process of its own holds a third each of splits, targets and groups, with their Services and
Deployments. Measured: from the start until everything is written and told, then from one changed weight until the
mesh's object has it, the controller's CPU-seconds and memory. The stand-in is Python too and slower than a real API
server: its CPU-seconds are told apart, and its part of the wall time is not ours.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from pilothouse.kube import Cluster
from pilothouse.kube.connecting import Connection as KubeConnection
from pilothouse.mesh.controlling import Controller
from tests.mesh.controlling.cluster import cluster_with


def serve(resources: int, mesh: str, spaces: int, pipe: Connection) -> None:
    """The stand-in, filled."""
    with tempfile.TemporaryDirectory() as directory:
        api = cluster_with(Path(directory), mesh)
        for number in range(resources // 3):
            space, name = f"team-{number % spaces}", f"service-{number}"
            for one in objects(space, name, number, spaces):
                api.put(one)
        pipe.send(api.url)
        while pipe.recv() != "over":
            pipe.send((time.process_time(), len(api.api.seen)))
        api.stop()


def objects(space: str, name: str, number: int, spaces: int = 50) -> list[dict[str, object]]:
    """One service with its split, target and group."""
    port = {"name": "http", "port": 80, "targetPort": 8080}
    meta = {"name": name, "namespace": space}
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"serviceAccountName": name}}
    made: list[dict[str, object]] = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": service, "namespace": space},
         "spec": {"selector": {"app": name}, "ports": [port]}}
        for service in (name, f"{name}-v1", f"{name}-v2")
    ]  # fmt: skip
    made.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": pods}})
    made.append({"apiVersion": "specs.smi-spec.io/v1alpha4", "kind": "HTTPRouteGroup", "metadata": meta,
                 "spec": {"matches": [{"name": "api", "pathRegex": "/api/"}]}})  # fmt: skip
    backends = [{"service": f"{name}-v1", "weight": 95}, {"service": f"{name}-v2", "weight": 5}]
    made.append({"apiVersion": "split.smi-spec.io/v1alpha4", "kind": "TrafficSplit", "metadata": meta,
                 "spec": {"service": name, "backends": backends}})  # fmt: skip
    caller = {"kind": "ServiceAccount", "name": f"service-{number - spaces}", "namespace": space}
    made.append({"apiVersion": "access.smi-spec.io/v1alpha4", "kind": "TrafficTarget", "metadata": meta,
                 "spec": {"destination": {"kind": "ServiceAccount", "name": name, "namespace": space},
                          "sources": [caller], "rules": [{"kind": "HTTPRouteGroup", "name": name}]}})  # fmt: skip
    return made


class Spent:
    """Seconds, CPU-seconds of ours and of the stand-in, and requests, since it was made or asked last."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._last = self._now()

    def _now(self) -> tuple[float, float, float, int]:
        self._pipe.send("spent")
        theirs, requests = self._pipe.recv()
        return time.monotonic(), time.process_time(), theirs, requests

    def __str__(self) -> str:
        now = self._now()
        seconds, ours, theirs, requests = (b - a for a, b in zip(self._last, now, strict=True))
        self._last = now
        return f"{seconds:.0f} s, {ours:.1f} CPU-s, {theirs:.1f} CPU-s of the stand-in, {requests} requests"


def main() -> None:
    wanted = int(sys.argv[1]) if sys.argv[1:] else 10_000
    mesh = sys.argv[2] if sys.argv[2:] else "istio"
    spaces = int(sys.argv[3]) if sys.argv[3:] else 50
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(wanted, mesh, spaces, theirs), daemon=True)
    server.start()
    url = ours.recv()
    print(f"{wanted} resources in {spaces} namespaces, {mesh}; load {os.getloadavg()[0]:.1f}: the machine is shared")

    def connect() -> Cluster:
        return Cluster(made_connection(url).client(60))

    spent = Spent(ours)
    controller = Controller(connect, mesh)
    controller.start()
    while not (state := controller.state().controller) or state["waiting"] or not state["objects"]:
        time.sleep(0.2)
    print(f"all {state['objects']} objects written and told: {spent}", flush=True)
    time.sleep(5)
    changing(connect(), mesh, ours)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")
    controller.close()
    ours.send("over")
    server.join()


def made_connection(url: str) -> KubeConnection:
    return KubeConnection("stand-in", url, "default", True)


def changing(cluster: Cluster, mesh: str, pipe: Connection) -> None:
    """One split's weights changed, three times, until the object of the mesh has them."""
    split = cluster.resource("TrafficSplit")
    kind, name = ("VirtualService", "smi-service-0") if mesh == "istio" else ("ServiceSplitter", "service-0")
    virtual = cluster.resource(kind)
    before = cluster.get(virtual, name, "team-0")
    assert before
    for weight in (11, 22, 33):
        spent, begun = Spent(pipe), time.monotonic()
        backends = [{"service": "service-0-v1", "weight": 95}, {"service": "service-0-v2", "weight": weight}]
        cluster.patch(split, "service-0", {"spec": {"backends": backends}}, "team-0")
        while (found := cluster.get(virtual, name, "team-0")) is None or found.spec == before.spec:
            time.sleep(0.02)
        before, took = found, time.monotonic() - begun
        time.sleep(8)
        print(f"a changed weight is there after {took:.2f} s; with what follows {spent}", flush=True)


if __name__ == "__main__":
    main()
