"""Arithmetic in templates: labels are text, and what is no number counts as zero (Loki uses sprig's functions)."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from typing import Any


def whole(value: Any) -> int:
    """The value as a whole number."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else 0
    try:
        return int(str(value).strip(), 0)
    except ValueError:
        number = floating(value)
        return int(number) if number == int(number) else 0


def floating(value: Any) -> float:
    """The value as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) or not isinstance(value, str) else 0.0


def _div(first: Any, other: Any) -> int:
    number, divisor = whole(first), whole(other)
    if not divisor:
        raise ValueError("integer divide by zero")
    quotient = abs(number) // abs(divisor)
    return quotient if (number < 0) == (divisor < 0) else -quotient


def _mod(first: Any, other: Any) -> int:
    return whole(first) - _div(first, other) * whole(other)


# Of the smallest and the largest float.
_DIGITS = Context(prec=1100, rounding=ROUND_HALF_UP)
_PLACES = Decimal(1).scaleb(-16)


def _decimal(value: Any) -> Decimal:
    """The shortest digits of a float are calculated with, so that 0.1 and 0.2 make 0.3 (sprig, on decimals)."""
    number = floating(value)
    if not math.isfinite(number):
        raise ValueError(f"cannot create a decimal of {number}")
    return Decimal(repr(number))


def _calculated(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    return lambda first, *others: float(reduce(operation, map(_decimal, others), _decimal(first)))


def _divided(first: Decimal, other: Decimal) -> Decimal:
    if not other:
        raise ValueError("decimal division by 0")
    return _DIGITS.quantize(_DIGITS.divide(first, other), _PLACES)


def _round(value: Any, places: Any, *on: float) -> float:
    power = 10.0 ** whole(places)
    digits = power * floating(value)
    fraction = math.modf(digits)[0]
    return (math.ceil(digits) if fraction >= (on[0] if on else 0.5) else math.floor(digits)) / power


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": whole,
    "float64": floating,
    "add": lambda *items: sum(map(whole, items)),
    "sub": lambda first, other: whole(first) - whole(other),
    "mul": lambda *items: math.prod(map(whole, items)),
    "div": _div,
    "mod": _mod,
    "addf": _calculated(_DIGITS.add),
    "subf": _calculated(_DIGITS.subtract),
    "mulf": _calculated(_DIGITS.multiply),
    "divf": _calculated(_divided),
    "max": lambda *items: max(map(whole, items)),
    "min": lambda *items: min(map(whole, items)),
    "maxf": lambda *items: max(map(floating, items)),
    "minf": lambda *items: min(map(floating, items)),
    "ceil": lambda value: float(math.ceil(floating(value))),
    "floor": lambda value: float(math.floor(floating(value))),
    "round": _round,
}
