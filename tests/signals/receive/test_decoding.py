"""Bodies: every coding that is known, none of them beyond the limit, and what is broken is said to be."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from pilothouse.signals.receive.decoding import BodyError, decompress, read_body
from tests.signals.receive.conftest import examples

LIMIT = 1_000_000


def _zstd(plain: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(plain))


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": _zstd,
    "identity": bytes,
    "": bytes,
}
COMPRESSING = ("gzip", "deflate", "zstd")


@pytest.mark.parametrize("coding", CODINGS)
@examples(20)
@given(plain=st.binary(max_size=3000))
def test_every_coding_gives_the_plain_bytes(coding: str, plain: bytes) -> None:
    assert decompress(CODINGS[coding](plain), coding, LIMIT) == plain


@pytest.mark.parametrize("coding", COMPRESSING)
def test_parts_one_after_another_are_one_body(coding: str) -> None:
    parts = [b"first " * 100, b"", b"second " * 100, b"third"]
    assert decompress(b"".join(map(CODINGS[coding], parts)), coding, LIMIT) == b"".join(parts)


@pytest.mark.parametrize("coding", COMPRESSING)
def test_exactly_the_limit_is_taken_and_a_byte_more_is_not(coding: str) -> None:
    assert len(decompress(CODINGS[coding](bytes(LIMIT)), coding, LIMIT)) == LIMIT
    with pytest.raises(BodyError, match=f"more than {LIMIT} bytes") as caught:
        decompress(CODINGS[coding](bytes(LIMIT + 1)), coding, LIMIT)
    assert caught.value.status == 413


@pytest.mark.parametrize("coding", COMPRESSING)
def test_a_bomb_goes_off_at_the_limit(coding: str) -> None:
    bomb = CODINGS[coding](bytes(40_000_000))
    assert len(bomb) < 50_000
    began = time.process_time()
    with pytest.raises(BodyError) as caught:
        decompress(bomb, coding, LIMIT)
    assert caught.value.status == 413
    assert time.process_time() - began < 0.5


def test_a_bomb_of_many_small_members_is_refused_at_once() -> None:
    began = time.process_time()
    with pytest.raises(BodyError, match="members") as caught:
        decompress(gzip.compress(b"") * 500_000, "gzip", 16_000_000)
    assert caught.value.status == 400
    assert time.process_time() - began < 2


@pytest.mark.parametrize("coding", COMPRESSING)
def test_a_body_that_is_cut_off_is_refused_wherever_it_is_cut(coding: str) -> None:
    whole = CODINGS[coding](bytes(range(256)) * 20)
    for length in range(1, len(whole)):
        with pytest.raises(BodyError) as caught:
            decompress(whole[:length], coding, LIMIT)
        assert caught.value.status == 400


@pytest.mark.parametrize("coding", COMPRESSING)
@pytest.mark.parametrize("body", [b"plain text", b"\0\0\0\0", b"\x1f\x8b\x08\x00broken"])
def test_what_is_not_compressed_is_refused(coding: str, body: bytes) -> None:
    with pytest.raises(BodyError, match=r"broken|cut off") as caught:
        decompress(body, coding, LIMIT)
    assert caught.value.status == 400


@pytest.mark.parametrize("coding", ["br", "snappy", "gzip, gzip", "compress", "gzipp", "\x00"])
def test_an_unknown_coding_is_named(coding: str) -> None:
    with pytest.raises(BodyError, match="is not known; gzip, zstd, deflate and identity are") as caught:
        decompress(b"", coding, LIMIT)
    assert caught.value.status == 415


def _request(parts: list[bytes], **headers: str) -> Request:
    left = list(parts)

    async def receive() -> dict[str, object]:
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


def test_a_body_in_parts_is_put_together_and_its_coding_read_from_the_header() -> None:
    plain = bytes(range(256)) * 1000
    body = gzip.compress(plain)
    parts = [body[:10], b"", body[10:500], body[500:]]
    assert asyncio.run(read_body(_request(parts, content_encoding=" GZIP "), LIMIT)) == plain
    assert asyncio.run(read_body(_request(parts), LIMIT)) == body


def test_a_large_compressed_body_is_whole() -> None:
    """It is decompressed in a thread."""
    plain = bytes(reversed(range(256))) * 3000
    body = zlib.compress(plain, 0)

    async def read() -> bytes:
        return await read_body(_request([body], content_encoding="deflate"), LIMIT)

    assert asyncio.run(read()) == plain


def test_reading_stops_at_the_limit() -> None:
    """The rest of a body that is too large is never taken into memory."""
    parts = [bytes(LIMIT // 2)] * 3 + [bytes(1)] * 100
    request = _request(parts)
    with pytest.raises(BodyError, match="larger than") as caught:
        asyncio.run(read_body(request, LIMIT))
    assert caught.value.status == 413
