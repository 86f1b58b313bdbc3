from typing import Any

from numpy.typing import NDArray

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
