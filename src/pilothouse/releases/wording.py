"""Numbers as people read them."""

from __future__ import annotations

from pilothouse.signals.sentences import Sentence, sentence

_BYTES = ("B", "kB", "MB", "GB", "TB")
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def amount(value: float, unit: str) -> str:
    """A value with its unit (UCUM, as OpenTelemetry writes units): `41 ms`, `182 MB`, `0.93`."""
    match unit:
        case "By":
            return _bytes(value)
        case "s":
            return _seconds(value)
        case "ms":
            return _seconds(value / 1e3)
        case "ns":
            return _seconds(value / 1e9)
        case "" | "1":
            return digits(value)
        case _:
            return f"{digits(value)} {unit.strip('{}')}"


def percent(share: float) -> str:
    """A share as a percentage: 0.0421 is `4.2 %`."""
    return f"{digits(share * 100)} %"


def signed_percent(change: float) -> str:
    """A relative change with its sign; a manifold one as a factor."""
    if change >= 1:
        return f"x{digits(1 + change)}"
    return f"{'+' if change >= 0 else '-'}{digits(abs(change) * 100)} %"


def times(rate: float) -> Sentence:
    """How often: `2.1 times`, `1 in 300 times`."""
    if 0 < rate < 0.1:
        return sentence("once in {number} times", number=digits(1 / rate))
    return sentence("{number} times", number=digits(rate))


def digits(value: float) -> str:
    """Three significant digits at most, no exponents for common sizes."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """As people write it: 90 s is `90s`, 3600 s is `1h`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def _bytes(value: float) -> str:
    size = abs(value)
    for name in _BYTES:
        if size < 1000 or name == _BYTES[-1]:
            return f"{'-' if value < 0 else ''}{digits(size)} {name}"
        size /= 1000
    raise AssertionError("the last unit takes all")


def _seconds(value: float) -> str:
    for scale, name in _SECONDS:
        if abs(value) >= scale or name == "ns":
            return f"{digits(value / scale)} {name}"
    raise AssertionError("the last unit takes all")
