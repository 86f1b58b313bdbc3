"""A ClickHouse server's HTTP interface over chDB: `python -m tests.engine.clickhouse_front DIR`.

No ClickHouse server can be installed here, and the engine in it is the same. What this speaks is what ClickHouse's
documentation of its HTTP interface says: the statement in `query` or in the body, `param_NAME`, `database` and settings
in the address, a format at the statement's end, errors with `X-ClickHouse-Exception-Code`, a body after an INSERT.

One thing is done otherwise: chDB takes no data beside a statement, so that `input('...') ... FORMAT F` reads the body
from a file instead.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_HANDLES = 6
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_INPUT = re.compile(r"\binput\(")
_CODE = re.compile(r"Code: (\d+)")
# Of the address, these are no settings.
_OWN = {"query", "database", "query_id", "session_id", "client_protocol_version", "wait_end_of_query", "compress"}
_STATUS = {516: 403, 60: 404, 81: 404, 394: 500, 241: 500, 159: 500}


class Front:
    """The engine's side: a pool of handles."""

    def __init__(self, directory: Path, config: str = "") -> None:
        import chdb

        address = f"{directory}?config-file={config}" if config else str(directory)

        self._handles: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(_HANDLES):
            self._handles.put(chdb.connect(address))
        # A statement that ends others must not wait for them.
        self._control = chdb.connect(address)
        self._lock = threading.Lock()

    def answer(self, asked: dict[str, str], body: bytes) -> tuple[bytes, str]:
        """The bytes of an answer and its format; raises what chDB raises."""
        statement = asked.get("query", "")
        if not statement:
            statement, body = body.decode(), b""
        named = _FORMAT.search(statement)
        if statement.lstrip().upper().startswith("KILL"):
            with self._lock:
                return self._control.query(statement, "TSV", params=_parameters(asked)).bytes(), "TSV"
        handle = self._handles.get()
        try:
            handle.query(f"USE `{asked.get('database') or 'default'}`", "TSV")
            for name, value in asked.items():
                if name not in _OWN and not name.startswith("param_") and "format" in name:
                    handle.query(f"SET {name} = '{value}'", "TSV")
            if body:
                return self._inserted(handle, statement, body, named[1] if named else "TSV"), "TSV"
            form = named[1] if named else asked.get("default_format", "TabSeparated")
            text = statement[: named.start()] if named else statement
            return handle.query(text, form, params=_parameters(asked)).bytes(), form
        finally:
            self._handles.put(handle)

    def _inserted(self, handle: Any, statement: str, body: bytes, form: str) -> bytes:
        with tempfile.NamedTemporaryFile(suffix=".segment") as file:
            file.write(body)
            file.flush()
            text = _INPUT.sub(f"file('{file.name}', '{form}', ", _FORMAT.sub("", statement))
            return bytes(handle.query(text, "TSV").bytes())


def _parameters(asked: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}


def _fields(kind: str, body: bytes) -> dict[str, str]:
    parts = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + body, policy=HTTP).iter_parts()  # type: ignore[attr-defined]
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True).decode()
        for part in parts
    }


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._speak(b"")

        def do_POST(self) -> None:
            if "chunked" in self.headers.get("transfer-encoding", ""):
                self._speak(b"".join(self._chunks()))
            else:
                self._speak(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _speak(self, body: bytes) -> None:
            asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            kind = self.headers.get("content-type", "")
            if kind.startswith("multipart/form-data"):
                # Parameters that are too long for an address come as fields.
                asked, body = asked | _fields(kind, body), b""
            try:
                content, form = front.answer(asked, body)
                status, headers = 200, {"X-ClickHouse-Format": form, "X-ClickHouse-Timezone": "UTC"}
            except Exception as error:
                code = _CODE.search(str(error))
                content = str(error).encode()
                status = _STATUS.get(int(code[1]) if code else 0, 400)
                headers = {"X-ClickHouse-Exception-Code": code[1] if code else "0"}
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def clickhouse(directory: Path, config: str = "") -> Iterator[str]:
    """One in a process of its own, as this one may have a store open; its address as `clickhouse://HOST:PORT`.

    `config` is what stands in a file of its `config.d`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.engine.clickhouse_front", str(directory / "data")]
    if config:
        (directory / "config.xml").write_text(config)
        command.append(str(directory / "config.xml"))
    # A schema that comes as text is kept by chDB in the current directory.
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=directory, env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin"}
    ) as process:
        assert process.stdout
        try:
            yield f"clickhouse://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _handler(Front(Path(sys.argv[1]), *sys.argv[2:])))
    print(listening.server_port, flush=True)
    listening.serve_forever()
