"""Heads of requests on OTLP's own HTTP port: which ones are answered without ASGI, and what they say.

That is a plain POST of protobuf with a length, as exporters write it. Any other is not judged here: uvicorn has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pilothouse.signals.receive.otlp_http import PROTOBUF

# What a head may look like (RFC 9112, 3 and 5).
_HEAD = re.compile(
    rb"POST /v1/(logs|metrics|traces) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_LENGTH = re.compile(rb"[0-9]{1,12}")
MOST_HEAD = 32_768
"""Bytes; a longer one is uvicorn's."""
# With one of these a request is another matter than its head says.
_ODD = (b"transfer-encoding", b"expect", b"upgrade", b"trailer", b"te")
_PROTOBUF = PROTOBUF.encode()
_STAYING = (b"", b"keep-alive")
_ENCODINGS = (b"", b"identity", b"gzip", b"x-gzip", b"deflate", b"zstd")


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says ahead of its body; `encoding` is empty for a plain one, `headers` have lower-case names."""

    kind: str
    length: int
    encoding: str
    headers: Mapping[str, str]


def head_of(text: bytes) -> Head | None:
    """What a head says, when it is one that is answered here."""
    found = _HEAD.fullmatch(text)
    if not found:
        return None
    kind, lines = found.groups()
    headers: dict[bytes, bytes] = {}
    for line in lines.split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip(b" \t")
    length, media = headers.get(b"content-length", b""), headers.get(b"content-type", b"")
    if len(headers) < lines.count(b"\n") or not _LENGTH.fullmatch(length) or any(name in headers for name in _ODD):
        return None
    if media.partition(b";")[0].strip().lower() != _PROTOBUF or headers.get(b"connection", b"").lower() not in _STAYING:
        return None
    encoding = headers.get(b"content-encoding", b"").lower()
    if encoding not in _ENCODINGS:
        return None
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    return Head(kind.decode(), int(length), "" if encoding == b"identity" else encoding.decode(), said)
