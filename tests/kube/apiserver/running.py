"""Runs the stand-in in a thread, on a free port, with a kubeconfig."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from pilothouse.kube import Cluster
from pilothouse.kube.connecting import Connection
from pilothouse.kube.objects import dig
from tests.kube.apiserver.serving import Api
from tests.kube.apiserver.store import Store


@dataclass
class ApiServer:
    """A running stand-in: `url`, its `store` and `api`, and `kubeconfig` for clients."""

    url: str
    kubeconfig: Path
    api: Api
    _server: uvicorn.Server
    _thread: threading.Thread
    _clients: list[Cluster] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.api.store

    def cluster(self) -> Cluster:
        """Our client, closed with the server."""
        made = Cluster(Connection("stand-in", self.url, "default", True).client(timeout=60))
        self._clients.append(made)
        return made

    def put(self, content: dict[str, Any]) -> dict[str, Any]:
        """Place an object as a cluster's controllers would, status included."""
        group, _, version = content["apiVersion"].rpartition("/")
        resource = next(
            one for one in self.store.resources.values()
            if (one.group, one.version, one.kind) == (group, version, content["kind"])
        )  # fmt: skip
        namespace = (dig(content, "metadata", "namespace") or "default") if resource.namespaced else ""
        return self.store.put(resource, namespace, json.loads(json.dumps(content)))

    def aggregate(self, group: str, url: str, verify: Any = True) -> None:
        """Hand a group's requests on to another server, as an APIService asks for."""
        client = httpx.Client(base_url=url, verify=verify, timeout=60, trust_env=False)
        self.api.aggregated[group] = client

    def kubectl(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run the real kubectl against it; the caller looks at the exit code."""
        path = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
        assert path, "kubectl is not installed"
        command = [path, "--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.kubeconfig.parent / "cache")]
        return subprocess.run([*command, *arguments], input=stdin, capture_output=True, text=True, timeout=60)

    def stop(self) -> None:
        self.api.stopping = True
        for client in self._clients:
            client.close()
        for backend in self.api.aggregated.values():
            backend.close()
        self._server.should_exit = True
        self._thread.join(timeout=60)


def start_api_server(directory: Path, version: str = "", history: int = 10_000) -> ApiServer:
    """Serve an empty cluster (namespaces `default` and `kube-system`) of a Kubernetes version, the newest known."""
    api = Api(Store(version=version, history=history))
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(256)
    config = uvicorn.Config(
        api.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    kubeconfig = directory / "kubeconfig.yaml"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stand-in",
        "clusters": [{"name": "stand-in", "cluster": {"server": url}}],
        "users": [{"name": "tester", "user": {"token": "t"}}],
        "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "tester"}}],
    }
    kubeconfig.write_text(json.dumps(content))
    running = ApiServer(url, kubeconfig, api, server, thread)
    for name in ("default", "kube-system"):
        labels = {"kubernetes.io/metadata.name": name}
        running.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    return running
