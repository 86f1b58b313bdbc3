"""Values as whole numbers: how `samples` keeps them (docs/adr/0004 says why and what it saves).

A value becomes `number` = value times `divisor`, where one of a few divisors gives back the value to the last bit.
Otherwise the divisor is 0 and the number is the value's bits; a stale marker has the divisor -1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STALE_BITS = 0x7FF0000000000002
# Whole numbers; the hundredths in which Linux counts CPU time; milli-, micro- and nanoseconds of a second.
_DIVISORS = (1, 100, 1_000, 1_000_000, 1_000_000_000)
_EXACT = 2**53


def divisor_sql(value: str) -> str:
    """The divisor of a value."""
    choices = ", ".join(
        f"abs({value}) <= {_EXACT // divisor} AND round({value} * {divisor}) / {divisor} = {value}, {divisor}"
        for divisor in _DIVISORS
    )
    bits = f"reinterpretAsUInt64({value})"
    return f"toFloat32(multiIf({bits} = {STALE_BITS}, -1, {bits} = {1 << 63}, 0, {choices}, 0))"


def number_sql(value: str, divisor: str) -> str:
    """The number of a value with this divisor."""
    return f"if({divisor} > 0, toInt64(round({value} * {divisor})), reinterpretAsInt64({value}))"


def restored(numbers: NDArray[np.int64], divisors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The values of what `samples` holds, each bit as it was."""
    bits = divisors <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        values: NDArray[np.float64] = numbers / divisors
    if bits.any():
        values[bits] = numbers[bits].view(np.float64)
    return values
