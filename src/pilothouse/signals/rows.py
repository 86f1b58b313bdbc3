"""From Arrow rows to what people read: attributes with their types, ids in hexadecimal, exact times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilothouse.signals.anyvalue import from_text


def attributes(pairs: Sequence[tuple[str, str]], kinds: str) -> dict[str, Any]:
    """A stored map with its kinds as Python values; bytes stay Base64 text, as JSON has none."""
    return {key: text if kind == "x" else from_text(text, kind) for (key, text), kind in zip(pairs, kinds, strict=True)}


def hexadecimal(identifier: bytes) -> str:
    """A trace or span id; the empty string when there is none."""
    return identifier.hex() if any(identifier) else ""
