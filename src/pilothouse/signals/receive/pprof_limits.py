"""How much a profile may be, and unpacking it without becoming more."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from pilothouse.signals.errors import BadRequestError

GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class ProfileLimits:
    """Bytes of a request as sent and unpacked, what one profile may hold, and how far its time may be from now."""

    body_bytes: int = 16_000_000
    unpacked_bytes: int = 32_000_000
    records: int = 1_000_000
    frames: int = 5_000_000
    types: int = 64
    past_seconds: float = 30 * 86400
    future_seconds: float = 3600

    @classmethod
    def of_request(cls, body_bytes: int) -> ProfileLimits:
        """Where a request has so many bytes at most: unpacked it may have twice as many."""
        return cls(body_bytes=body_bytes, unpacked_bytes=2 * body_bytes)


def inflated(body: bytes, limits: ProfileLimits, field: str = "body") -> bytes:
    """The bytes of a gzip body (also of several members), or the body itself if it is not one."""
    if body[:4] == _ZSTD:
        raise BadRequestError(f"{field}: zstd is not understood here; send gzip or no compression", field)
    if body[:2] != GZIP:
        return within(body, limits.unpacked_bytes, field)
    parts, left, room = [], body, limits.unpacked_bytes
    while left:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(left, room + 1)
        except zlib.error as error:
            raise BadRequestError(f"{field}: broken gzip: {error}", field) from None
        within(part, room, field, limits.unpacked_bytes)
        if not member.eof:
            raise BadRequestError(f"{field}: the gzip data ends too early, at byte {len(body)}", field)
        parts.append(part)
        room -= len(part)
        left = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def within(content: bytes, limit: int, field: str, said: int | None = None) -> bytes:
    """The content, if it is not longer than the limit."""
    if len(content) > limit:
        raise BadRequestError(f"{field}: more than {(said or limit) // 1_000_000} MB unpacked", field)
    return content
