"""Durations and amounts of bytes as LogQL writes them: `1h15m30.918s`, `20kB`, `5MiB`."""

from __future__ import annotations

import re
from decimal import Decimal

# Go's time.ParseDuration, with the days, weeks and years of Prometheus.
_SECONDS = {
    "ns": Decimal("1e-9"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400),
    "w": Decimal(604800), "y": Decimal(31536000),
}  # fmt: skip
_GO_ONLY = frozenset({"d", "w", "y"})
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
DURATION = rf"(?:(?:{_NUMBER})(?:ns|us|µs|μs|ms|[smhdwy]))+"
_PART = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|[smhdwy])")
_WHOLE_DURATION = re.compile(rf"[+-]?{DURATION}")

# go-humanize, bytes.go: decimal and binary multiples, in any case.
_BYTES = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15, "e": 10**18}
_BYTES |= {f"{letter}b": factor for letter, factor in list(_BYTES.items()) if letter not in ("", "b")}
_BYTES |= {f"{letter}i": 2 ** (10 * place) for place, letter in enumerate("kmgtpe", 1)}
_BYTES |= {f"{letter}ib": 2 ** (10 * place) for place, letter in enumerate("kmgtpe", 1)}
# A lone `m` is a minute.
BYTES = r"\d+(?:\.\d*)?(?:[kKmMgGtTpPeE]i?[bB]|[bB]|[kKMGTP]i?)"
_AMOUNT = re.compile(r"([\d,]+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]*)")


def duration_nanoseconds(text: str) -> int | None:
    """Nanoseconds of a duration; None when it is none. `0` needs no unit (Go, time.ParseDuration)."""
    if text.lstrip("+-") == "0":
        return 0
    if not _WHOLE_DURATION.fullmatch(text):
        return None
    total = sum(Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return int(total * 1_000_000_000) * (-1 if text.startswith("-") else 1)


def go_duration_nanoseconds(text: str) -> int | None:
    """The same for a value in a line, where Go's own units alone are known."""
    if any(unit in _GO_ONLY for _, unit in _PART.findall(text)):
        return None
    return duration_nanoseconds(text)


def amount_bytes(text: str) -> int | None:
    """Bytes of `5MB` or `1.5 KiB`; None when it is none."""
    found = _AMOUNT.fullmatch(text.strip())
    factor = _BYTES.get(found[2].lower()) if found else None
    if found is None or factor is None:
        return None
    return int(float(found[1].replace(",", "")) * factor)


def write_duration(nanoseconds: int) -> str:
    """A duration in its largest whole units: `1h30m`, `250ms`."""
    if nanoseconds == 0:
        return "0s"
    sign, rest, parts = "-" if nanoseconds < 0 else "", abs(nanoseconds), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


_UNITS = (
    ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
)  # fmt: skip
