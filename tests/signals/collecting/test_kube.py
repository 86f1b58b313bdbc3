"""The pod collector against an HTTP server that speaks the two calls of the Kubernetes API that it needs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pilothouse.signals.collecting.containers import workload
from pilothouse.signals.collecting.kube import KubeCollector
from pilothouse.signals.collecting.sending import Sender
from tests.running import RunningServer
from tests.signals.collecting.test_files import stored

POD = {
    "metadata": {
        "namespace": "shop", "name": "cart-7d9c6b5f4-x2x4z", "uid": "u-1",
        "labels": {"app.kubernetes.io/name": "cart", "app.kubernetes.io/version": "1.2"},
    },
    "spec": {"nodeName": "node-1"},
    "status": {"containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {}}}]},
}  # fmt: skip


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/api/v1/namespaces/shop/pods":
            assert query["labelSelector"] == ["app=cart"]
            self._answer(json.dumps({"items": [POD], "metadata": {}}).encode())
        elif url.path == "/api/v1/namespaces/shop/pods/cart-7d9c6b5f4-x2x4z/log":
            assert query["container"] == ["app"]
            now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
            self._answer(f"{now}.1Z first\n{now}.2Z second line\n".encode())
        else:
            self.send_error(404)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_pods_lines_come_with_its_identity(server: RunningServer, api: str, tmp_path: Path) -> None:
    sender = Sender(server.http)
    with httpx.Client(base_url=api) as client:
        KubeCollector(client, sender, "shop", "app=cart", once=True).run()
    sender.close()
    assert stored(server, "cart", 2) == ["first", "second line"]
    resource = server.get("/api/logs", selector='k8s_container_name="app"', since="1h")["logs"][0]["resource"]
    assert resource["k8s.pod.name"] == "cart-7d9c6b5f4-x2x4z"
    assert resource["k8s.node.name"] == "node-1"
    assert resource["service.version"] == "1.2"


@pytest.mark.parametrize(
    ("pod", "name"),
    [("cart-7d9c6b5f4-x2x4z", "cart"), ("db-0", "db"), ("agent-x2x4z", "agent"), ("alone", "alone")],
)
def test_a_workload_is_known_by_its_pods_name(pod: str, name: str) -> None:
    assert workload(pod) == name
