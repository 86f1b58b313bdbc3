"""A stand-in for S3 in memory: objects by their paths, as ClickHouse's disks write, read, list and delete them.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

Signatures are not looked at, and a path's first part is the bucket.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_KEY = re.compile(rb"<Key>([^<]*)</Key>")


class S3(ThreadingHTTPServer):
    """`objects` has what is kept, by `BUCKET/KEY`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        if upload := self._asked.get("uploadId"):
            self.server.uploads[upload[0]][int(self._asked["partNumber"][0])] = content
        else:
            self.server.objects[self._path] = content
        self._answer(200, b"", etag='"1"')

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "delete" in self._asked:
            for key in _KEY.findall(content):
                self.server.objects.pop(f"{self._path.partition('/')[0]}/{unescape(key.decode())}", None)
            self._answer(200, b"<DeleteResult></DeleteResult>")
        elif "uploads" in self._asked:
            self.server.uploads[self._path] = {}
            said = f"<UploadId>{escape(self._path)}</UploadId>"
            self._answer(200, f"<InitiateMultipartUploadResult>{said}</InitiateMultipartUploadResult>".encode())
        else:
            parts = self.server.uploads.pop(self._asked["uploadId"][0])
            self.server.objects[self._path] = b"".join(parts[number] for number in sorted(parts))
            self._answer(200, b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")

    def do_GET(self) -> None:
        if "list-type" in self._asked:
            bucket = self._path.partition("/")[0]
            prefix = f"{bucket}/{self._asked.get('prefix', [''])[0]}"
            found = "".join(
                f"<Contents><Key>{escape(name.partition('/')[2])}</Key><Size>{len(content)}</Size></Contents>"
                for name, content in sorted(self.server.objects.items()) if name.startswith(prefix)
            )  # fmt: skip
            self._answer(200, f"<ListBucketResult>{found}</ListBucketResult>".encode())
            return
        content = self.server.objects.get(self._path)
        if content is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif asked := _RANGE.match(self.headers.get("range", "")):
            first, last = int(asked[1]), int(asked[2] or len(content) - 1)
            said = f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"
            self._answer(206, content[first : last + 1], content_range=said)
        else:
            self._answer(200, content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._path, None)
        self._answer(204, b"")

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/")

    @property
    def _asked(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def s3() -> Iterator[S3]:
    """One that serves from a thread."""
    with S3() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()
