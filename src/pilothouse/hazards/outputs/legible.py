"""Text from manifests, made fit for a terminal and for XML: no control characters."""

from __future__ import annotations

_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"} | dict.fromkeys(
    [*range(127, 160), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)], 0xFFFD
)


def legible(text: str) -> str:
    """Control characters made visible, so that a manifest cannot move the cursor or break an XML document."""
    return text.translate(_VISIBLE)
