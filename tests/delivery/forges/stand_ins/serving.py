"""A stand-in on a port of loopback, for a server that runs as a process of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.delivery.forges.stand_ins.rest import StandIn

_HOP = {"transfer-encoding", "connection", "content-length", "content-encoding"}


@contextlib.contextmanager
def served(stand: StandIn, path: str) -> Iterator[str]:
    """Serve it; the address of its API, which is also its base from then on."""
    transport = stand.transport()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            request = httpx.Request(
                self.command, f"http://{self.headers['host']}{self.path}", headers=dict(self.headers.items()),
                content=self.rfile.read(length),
            )  # fmt: skip
            response = transport.handle_request(request)
            body = response.read()
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - as the library asks for them

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing: the tests ask what was called."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand.base = f"http://127.0.0.1:{server.server_address[1]}{path}"
    try:
        yield stand.base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
