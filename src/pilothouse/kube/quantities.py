"""Quantities as Kubernetes writes them: `100m`, `1.5Gi`, `2e3` (apimachinery's resource.Quantity)."""

from __future__ import annotations

import re
from typing import Any

_FORM = re.compile(r"([+-]?[0-9]*\.?[0-9]+|[+-]?[0-9]+\.)(?:([eE][+-]?[0-9]+)|(n|u|m|k|[KMGTPE]i|[MGTPE]))?")
_SCALE = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)
}


def quantity(value: Any) -> float | None:
    """The number that a quantity means (cores, bytes), or None when it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    found = _FORM.fullmatch(str(value).strip())
    if not found:
        return None
    number, exponent, suffix = found.groups()
    return float(number + (exponent or "")) * _SCALE.get(suffix or "", 1.0)


def share(value: Any, total: int, round_up: bool = False) -> int | None:
    """An IntOrString as a count of `total`: `25%` of 10 is 2, or 3 rounded up; None when it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    text = str(value)
    if text.isdigit():
        return int(text)
    if not re.fullmatch(r"[0-9]+%", text):
        return None
    percent = int(text[:-1])
    return -(-percent * total // 100) if round_up else percent * total // 100
