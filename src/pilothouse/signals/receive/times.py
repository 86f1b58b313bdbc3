"""Times as log shippers write them."""

from __future__ import annotations

import time

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.timerange import parse_instant


def any_time(text: str) -> int:
    """Nanoseconds of RFC 3339 or of seconds, milliseconds, microseconds or nanoseconds; 0 when it is no time."""
    digits = text.strip().strip('"')
    if digits.isdigit():
        value = int(digits)
        for most, factor in ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3)):
            if value < most:
                return value * factor
        return value if value < 2**63 else 0
    if digits in ("", "now"):
        return 0
    try:
        return parse_instant(digits.replace(" ", "T", 1), time.time_ns())
    except BadRequestError:
        return 0
