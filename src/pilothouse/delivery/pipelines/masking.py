"""Secrets kept out of logs: each known value is replaced before a byte is written, sent or shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

MASK = b"***"
# Shorter values ("1", "yes") would blacken every log and protect nothing.
_SHORTEST = 4
_LONGEST_LINE = 1 << 16


class Masker:
    """Replaces secrets; also each line of one with many, and its Base64 forms."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first))) if forms else None

    def mask(self, data: bytes) -> bytes:
        """`data` without secrets. A secret that goes over the end of `data` is not seen: give whole lines."""
        return self._pattern.sub(MASK, data) if self._pattern else data

    def mask_text(self, text: str) -> str:
        """The same for a text."""
        return self.mask(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace") if self._pattern else text

    @property
    def empty(self) -> bool:
        return self._pattern is None


class Lines:
    """Cuts a stream of chunks at line ends, so that no secret is cut; a very long line is passed on in parts."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """The whole lines that are there now (empty when none is complete)."""
        data = self._rest + chunk if self._rest else chunk
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST_LINE:
            end = len(data) - _LONGEST_LINE // 2
        self._rest = data[end:]
        return data[:end]

    def rest(self) -> bytes:
        """What is left at the end."""
        left, self._rest = self._rest, b""
        return left


def _forms(secret: bytes) -> Iterable[bytes]:
    whole = secret.strip()
    for part in {secret, whole, *whole.splitlines()}:
        part = part.strip(b"\r\n")
        if len(part) < _SHORTEST:
            continue
        yield part
        yield base64.b64encode(part)
        yield base64.urlsafe_b64encode(part).rstrip(b"=")
