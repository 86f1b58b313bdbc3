"""How Go prints values: `fmt` for the kinds that templates have (pkg.go.dev/fmt)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_EXPONENT_FROM = 6
_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+|\*)?(?:\.(?P<precision>\d*|\*))?(?P<verb>[a-zA-Z%])")


def truth(value: Any) -> bool:
    """Go's truth of a template: zero, empty and nil are false."""
    return bool(value) if not hasattr(value, "nanoseconds") else True


def shown(value: Any) -> str:
    """The value as `%v` prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_shown(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{shown(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(shown, value)) + "]"
    return str(value)


def float_shown(value: float) -> str:
    """`%v` of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on.

    Go, strconv: "if precision was the shortest possible, use precision 6 for this decision".
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    from decimal import Decimal

    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    power = Decimal(repr(value)).adjusted()
    if -4 <= power < _EXPONENT_FROM:
        return plain(value)
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{'-' if power < 0 else '+'}{abs(power):02d}"


def plain(value: float) -> str:
    """The shortest digits that give the same float again, without an exponent (Go, FormatFloat 'f', -1)."""
    from decimal import Decimal

    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def printf(form: str, *arguments: Any) -> str:
    """Go's Sprintf."""
    rest = list(arguments)

    def said(found: re.Match[str]) -> str:
        if found["verb"] == "%":
            return "%"
        width = _star(found["width"], rest)
        precision = _star(found["precision"], rest)
        if not rest:
            return f"%!{found['verb']}(MISSING)"
        flags = found["flags"]
        if width < 0 and found["width"] == "*":
            flags, width = flags + "-", -width
        return _padded(_formatted(found["verb"], rest.pop(0), flags, precision), flags, min(width, 10_000))

    text = _VERB.sub(said, form)
    if rest:
        text += "%!(EXTRA " + ", ".join(f"{_type(item)}={shown(item)}" for item in rest) + ")"
    return text


def _star(text: str | None, rest: list[Any]) -> int:
    if text == "*":
        return rest.pop(0) if rest and isinstance(rest[0], int) else -1
    if text is None:
        return -1
    return int(text or 0)


def _formatted(verb: str, value: Any, flags: str, precision: int) -> str:
    sign = "+" if "+" in flags else " " if " " in flags else ""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if verb in "vs":
        if verb == "s" and not isinstance(value, str | list | dict) and not hasattr(value, "nanoseconds"):
            return f"%!s({_type(value)}={shown(value)})"
        text = shown(value)
        return text if precision < 0 else text[:precision]
    if verb == "q" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if verb == "t" and isinstance(value, bool):
        return shown(value)
    if verb == "T":
        return _type(value)
    if verb == "d" and is_int:
        return format(value, f"{sign}d")
    if verb in "xXobc" and is_int:
        return chr(value) if verb == "c" else format(value, f"{sign}{'#' if '#' in flags else ''}{verb}")
    if verb in "xX" and isinstance(value, str):
        return value.encode().hex() if verb == "x" else value.encode().hex().upper()
    if verb in "fFeEgG" and isinstance(value, float):
        if verb in "gG" and precision < 0:
            return (sign if value >= 0 else "") + float_shown(value)
        return format(value, f"{sign}.{6 if precision < 0 else precision}{verb}")
    return f"%!{verb}({_type(value)}={shown(value)})"


def _padded(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and text.lstrip("+-")[:1].isdigit():
        sign = text[:1] if text[:1] in "+-" else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _type(value: Any) -> str:
    if value is None:
        return "<nil>"
    names = {bool: "bool", int: "int", float: "float64", str: "string", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}" if isinstance(value, Mapping) else "time.Time")
