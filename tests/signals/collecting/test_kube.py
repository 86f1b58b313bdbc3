"""The pod collector against an HTTP server that speaks the two calls of the Kubernetes API that it needs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
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


QUIET = {
    "metadata": {"namespace": "shop", "name": "quiet-0", "uid": "u-2", "labels": {}},
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


class BreakingApi(BaseHTTPRequestHandler):
    """Follows as the API server does, and breaks off in the middle of the first answer."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[dict[str, list[str]]]] = []
    started = time.time()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/pods"):
            body = json.dumps({"items": [QUIET], "metadata": {}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.asked.append(parse_qs(url.query))
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if len(self.asked) == 1:
            self._say(1, "before the silence")
            # Longer than lines wait to be sent: the first must arrive although no other follows.
            time.sleep(1.5)
            self.close_connection = True
            return
        self._say(1, "before the silence")
        self._say(2, "after the break")
        self.wfile.write(b"0\r\n\r\n")

    def _say(self, second: int, text: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.started - 10 + second))
        line = f"{moment}.5Z {text}\n".encode()
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def log_message(self, form: str, *arguments: object) -> None:
        """Says nothing."""


def test_a_connection_that_breaks_is_taken_up_where_it_was(server: RunningServer) -> None:
    http = ThreadingHTTPServer(("127.0.0.1", 0), BreakingApi)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    stop = threading.Event()
    with httpx.Client(base_url=f"http://127.0.0.1:{http.server_port}") as client:
        sender = Sender(server.http)
        collector = KubeCollector(client, sender, "shop", "", since=60, stopping=stop.is_set)
        running = threading.Thread(target=collector.run)
        running.start()
        assert stored(server, "quiet", 1)[0] == "before the silence"
        assert stored(server, "quiet", 2) == ["before the silence", "after the break"]
        stop.set()
        running.join(60)
        sender.close()
    http.shutdown()
    http.server_close()
    assert not running.is_alive()
    assert BreakingApi.asked[0]["sinceSeconds"] == ["60"]
    assert "sinceTime" in BreakingApi.asked[1]


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
