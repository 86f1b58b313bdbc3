"""Numbers as Go writes and reads them: what Prometheus' labels, messages and JSON contain."""

from __future__ import annotations

import math
import struct

STALE_BITS = 0x7FF0000000000002
STALE: float = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


def is_stale(value: float) -> bool:
    """Whether a value is the marker that says: this series has ended."""
    return value != value and struct.unpack("<Q", struct.pack("<d", value))[0] == STALE_BITS


def format_f(value: float) -> str:
    """The shortest decimal digits without exponent (`strconv.FormatFloat(v, 'f', -1, 64)`): values in JSON."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    shift = int(exponent)
    if shift < 0:
        return f"{sign}0.{'0' * (-shift - 1)}{whole}{fraction}"
    digits = whole + fraction
    return sign + (digits + "0" * (shift - len(fraction)) if shift >= len(fraction) else digits)


def format_g(value: float) -> str:
    """The shortest digits, with an exponent from 1e6 on and below 1e-4 (`%v`, `%g` of Go)."""
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    exponent = f"{value:.17e}".partition("e")[2]
    shortest = repr(value)
    digits = shortest.partition("e")[0].lstrip("-").replace(".", "").strip("0") or "0"
    power = int(exponent)
    # Rounding to 17 digits may carry into the next power of ten.
    if "e" in shortest:
        power = int(shortest.partition("e")[2]) + len(shortest.partition("e")[0].lstrip("-").partition(".")[0]) - 1
    if -4 <= power < 6:
        return format_f(value)
    sign = "-" if value < 0 else ""
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def format_open_metrics(value: float) -> str:
    """A number as a label (`le`, `quantile`) writes it: always with a point or an exponent, so 1 is `1.0`."""
    text = format_g(value)
    return text if any(mark in text for mark in ".eIN") else f"{text}.0"


def parse_number(text: str) -> float:
    """A number of a query: decimal, hexadecimal, octal with a leading zero, `Inf`, `NaN`, with `_` between digits."""
    lowered = text.lower()
    if lowered in ("inf", "+inf", "-inf", "nan"):
        return float(lowered)
    plain = lowered.replace("_", "")
    if plain.startswith("0x"):
        return float(int(plain, 16))
    if len(plain) > 1 and plain[0] == "0" and plain.isdigit() and not set(plain) & {"8", "9"}:
        return float(int(plain, 8))
    return float(plain)


def parse_bound(text: str) -> float:
    """The value of an `le` label; `ValueError` when it is no number (Go's `ParseFloat`)."""
    if not text or text != text.strip() or "_" in text:
        raise ValueError(f"not a number: {text!r}")
    return float(text)


_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def unquote(text: str) -> str:
    """The value of a string literal with its quotes (double, single or backtick), Go's escapes undone."""
    quote, inner = text[0], text[1:-1]
    if quote == "`" or "\\" not in inner:
        return inner
    parts, place, raw = [], 0, bytearray()

    def flush() -> None:
        if raw:
            parts.append(raw.decode("utf-8", "surrogateescape"))
            raw.clear()

    while place < len(inner):
        char = inner[place]
        if char != "\\":
            flush()
            parts.append(char)
            place += 1
            continue
        kind = inner[place + 1]
        if kind in "01234567":
            raw.append(int(inner[place + 1 : place + 4], 8) & 255)
            place += 4
        elif kind == "x":
            raw.append(int(inner[place + 2 : place + 4], 16))
            place += 4
        elif kind in "uU":
            size = 4 if kind == "u" else 8
            flush()
            parts.append(chr(int(inner[place + 2 : place + 2 + size], 16)))
            place += 2 + size
        else:
            flush()
            parts.append(_ESCAPES.get(kind, kind))
            place += 2
    flush()
    return "".join(parts)


def quote(text: str) -> str:
    """A string literal in double quotes, as Go's `%q` writes it."""
    out = ['"']
    names = {value: key for key, value in _ESCAPES.items()}
    for char in text:
        if char == '"':
            out.append('\\"')
        elif char in names:
            out.append("\\" + names[char])
        elif char.isprintable():
            out.append(char)
        elif 0xDC80 <= ord(char) <= 0xDCFF:
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif ord(char) < 0x80:
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return "".join(out) + '"'
