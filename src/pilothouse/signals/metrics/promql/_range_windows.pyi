from typing import Any

from numpy.typing import NDArray

def runs(series: NDArray[Any], /) -> int: ...
def gather(
    series: NDArray[Any],
    times: NDArray[Any],
    numbers: NDArray[Any],
    divisors: NDArray[Any],
    base: int,
    runs: NDArray[Any],
    begins: NDArray[Any],
    out_times: NDArray[Any],
    out_values: NDArray[Any],
    /,
) -> int: ...
def apply(
    function: str,
    times: NDArray[Any],
    values: NDArray[Any],
    begins: NDArray[Any],
    ends: NDArray[Any],
    rows: NDArray[Any],
    first: int,
    step: int,
    count: int,
    length: int,
    out: NDArray[Any],
    present: NDArray[Any],
    /,
) -> int: ...
