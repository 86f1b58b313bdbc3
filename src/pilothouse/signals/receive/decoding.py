"""From an HTTP body to bytes that may be parsed: encodings, and how large they may grow."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from pilothouse.signals.wire import body_within

if TYPE_CHECKING:
    from starlette.requests import Request

# What follows a member is copied for each of them, so that their number must be bounded, not only their size.
_MOST_MEMBERS = 100
# A larger body is decompressed in a thread, so that it does not hold up the others.
_LARGE = 64_000


class BodyError(Exception):
    """The body cannot be read; `status` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(request: Request, limit: int) -> bytes:
    """The decoded body. Neither the body nor what it decompresses to may be larger than `limit` bytes."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    body = await raw_body(request, limit)
    if len(body) > _LARGE and encoding != "identity":
        return await asyncio.to_thread(decompress, body, encoding, limit)
    return decompress(body, encoding, limit)


async def raw_body(request: Request, limit: int) -> bytes:
    """The body as it came, of at most `limit` bytes."""
    body = await body_within(request, limit)
    if body is None:
        raise BodyError(413, f"the body is larger than {limit} bytes")
    return body


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The plain bytes of a body in one of HTTP's content codings."""
    match encoding:
        case "identity" | "":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, zlib.MAX_WBITS | 16, limit)
        case "deflate":
            return _inflate(body, zlib.MAX_WBITS, limit)
        case "zstd":
            return _unzstd(body, limit)
    raise BodyError(415, f"content-encoding {encoding!r} is not known; gzip, zstd, deflate and identity are")


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    while rest:
        if len(parts) == _MOST_MEMBERS:
            raise BodyError(400, f"the compressed body has more than {_MOST_MEMBERS} members")
        inflater = zlib.decompressobj(window)
        try:
            part = inflater.decompress(rest, limit + 1 - size)
        except zlib.error as error:
            raise BodyError(400, f"the compressed body is broken: {error}") from None
        size += len(part)
        if size > limit:
            raise BodyError(413, f"the body decompresses to more than {limit} bytes")
        if not inflater.eof:
            raise BodyError(400, "the compressed body is cut off")
        parts.append(part)
        rest = inflater.unused_data
    return b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    import pyarrow as pa

    try:
        plain: bytes = pa.CompressedInputStream(pa.BufferReader(body), "zstd").read(limit + 1)
    except OSError as error:
        raise BodyError(400, f"the compressed body is broken: {error}") from None
    if len(plain) > limit:
        raise BodyError(413, f"the body decompresses to more than {limit} bytes")
    return plain
