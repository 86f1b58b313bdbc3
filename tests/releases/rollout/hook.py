"""A router that takes weights over HTTP, as a user's script would, and remembers each change that it made."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Router:
    """`changes` are the weights of the candidate in the order that they took effect, `keys` the keys of all calls."""

    def __init__(self, readable: bool) -> None:
        self.readable, self.failing = readable, False
        self.weights: dict[str, int] | None = None
        self.changes: list[dict[str, int]] = []
        self.keys: list[str] = []
        self.url = ""

    def take(self, body: dict[str, Any]) -> None:
        """New weights; a key that was seen is not applied again."""
        if body["key"] not in self.keys:
            self.weights = body["weights"]
            self.changes.append(body["weights"])
        self.keys.append(body["key"])


@contextlib.contextmanager
def router(readable: bool = True) -> Iterator[Router]:
    """One on a free port; `readable` says whether it tells its weights."""
    made = Router(readable)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert body["key"] == self.headers["idempotency-key"]
            if made.failing:
                self._answer(503, {"error": "no backend"})
                return
            made.take(body)
            self._answer(200, {})

        def do_GET(self) -> None:
            if made.readable and made.weights is not None:
                self._answer(200, {"weights": made.weights})
            else:
                self._answer(404, {})

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/weights"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
