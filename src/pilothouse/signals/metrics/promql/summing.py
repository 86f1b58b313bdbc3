"""Sums that stay exact where large numbers cancel (Neumaier's variant of Kahan summation)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def increment(value: float, total: float, compensation: float) -> tuple[float, float]:
    """One step: the new total and its compensation."""
    result = total + value
    if math.isinf(result):
        return result, 0.0
    if abs(total) >= abs(value):
        return result, compensation + ((total - result) + value)
    return result, compensation + ((value - result) + total)


def exact_sum(values: Iterable[float]) -> float:
    """The sum, infinite when it overflows."""
    total = compensation = 0.0
    for value in values:
        total, compensation = increment(value, total, compensation)
    return total if math.isinf(total) else total + compensation


def exact_mean(values: Sequence[float]) -> float:
    """The mean; computed step by step where the sum would overflow (Prometheus issue 16714)."""
    total, compensation, mean, stepwise = values[0], 0.0, 0.0, False
    for count, value in enumerate(values[1:], 2):
        if not stepwise:
            further, rest = increment(value, total, compensation)
            if not math.isinf(further):
                total, compensation = further, rest
                continue
            stepwise, mean, compensation = True, total / (count - 1), compensation / (count - 1)
        share = (count - 1) / count
        mean, compensation = increment(value / count, share * mean, share * compensation)
    return mean + compensation if stepwise else total / len(values) + compensation / len(values)
