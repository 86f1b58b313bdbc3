"""The controller at size: `python -m bench.mesh.controlling [RESOURCES] [MESH]`, by default 10,000 and istio.

A stand-in API server in a process of its own holds a third each of splits, targets and groups, with their Services and
Deployments. Measured: from the start until everything is written, then from one changed weight until the mesh's object
has it, the controller's CPU-seconds and memory. The stand-in is Python too and slower than a real API server: what it
takes is part of the seconds, not of the CPU-seconds.
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

import httpx

from pilothouse.kube import Cluster
from pilothouse.mesh.controlling import Controller
from tests.mesh.controlling.cluster import cluster_with


def serve(resources: int, mesh: str, pipe: Connection) -> None:
    """The stand-in, filled."""
    with tempfile.TemporaryDirectory() as directory:
        api = cluster_with(Path(directory), mesh)
        for number in range(resources // 3):
            space, name = f"team-{number % 50}", f"service-{number}"
            for one in objects(space, name, number):
                api.put(one)
        pipe.send(api.url)
        pipe.recv()
        api.stop()


def objects(space: str, name: str, number: int) -> list[dict[str, object]]:
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
    caller = {"kind": "ServiceAccount", "name": f"service-{number - 50}", "namespace": space}
    made.append({"apiVersion": "access.smi-spec.io/v1alpha4", "kind": "TrafficTarget", "metadata": meta,
                 "spec": {"destination": {"kind": "ServiceAccount", "name": name, "namespace": space},
                          "sources": [caller], "rules": [{"kind": "HTTPRouteGroup", "name": name}]}})  # fmt: skip
    return made


def main() -> None:
    wanted = int(sys.argv[1]) if sys.argv[1:] else 10_000
    mesh = sys.argv[2] if sys.argv[2:] else "istio"
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(wanted, mesh, theirs), daemon=True)
    server.start()
    url = ours.recv()
    print(f"{wanted} resources, {mesh}; load {os.getloadavg()[0]:.1f}: the machine is shared")

    def connect() -> Cluster:
        return Cluster(httpx.Client(base_url=url, timeout=60, trust_env=False))

    begun, spent = time.monotonic(), time.process_time()
    controller = Controller(connect, mesh)
    controller.start()
    while not (state := controller.state().controller) or state["waiting"] or not state["objects"]:
        time.sleep(0.2)
    print(f"all {state['objects']} objects written after {time.monotonic() - begun:.0f} s, "
          f"{time.process_time() - spent:.1f} CPU-s")  # fmt: skip
    time.sleep(20)
    changing(connect())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")
    controller.close()
    ours.send("over")
    server.join()


def changing(cluster: Cluster) -> None:
    """One split's weights changed, three times, until the object of Istio has them."""
    split, virtual = cluster.resource("TrafficSplit"), cluster.resource("VirtualService")
    for weight in (11, 22, 33):
        spent, begun = time.process_time(), time.monotonic()
        backends = [{"service": "service-0-v1", "weight": 95}, {"service": "service-0-v2", "weight": weight}]
        cluster.patch(split, "service-0", {"spec": {"backends": backends}}, "team-0")
        while True:
            found = cluster.get(virtual, "smi-service-0", "team-0")
            assert found
            if found.spec["http"][0]["route"][1]["weight"] == weight:
                break
            time.sleep(0.02)
        took = time.monotonic() - begun
        time.sleep(8)
        print(
            f"a changed weight is there after {took:.1f} s; {time.process_time() - spent:.1f} CPU-s with what follows"
        )


if __name__ == "__main__":
    main()
