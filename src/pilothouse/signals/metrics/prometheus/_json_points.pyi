from typing import Any

from numpy.typing import NDArray

def rows(
    heads: list[bytes], times: list[bytes], numbers: bytes, values: NDArray[Any], present: NDArray[Any], /
) -> bytes: ...
