"""Arrow: how a whole stream ends, and pyarrow without pandas.

pandas is there because chDB depends on it, and pyarrow imports it at the first `to_numpy` or `pa.array`, to see whether
it was given something of pandas': half a CPU-second and 50 MB, of whoever asks the first question. Nothing here is.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any

# The last bytes of a stream, by which one that broke off is known: pyarrow takes it for one that ends.
# https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class _Hidden:
    """Finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("hidden from pyarrow", name=name)


@functools.cache
def do_without_pandas() -> None:
    """Have pyarrow look for pandas now and find nothing. Who imports pandas itself has it, before and after.

    pyarrow (26) looks in two places, and each remembers: the one in Python whether there was a pandas, the one in C++
    which types it has, of a module that has none. Should a later version look elsewhere, pandas is imported again.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    hidden: Any = _Hidden
    sys.meta_path.insert(0, hidden)
    try:
        getattr(getattr(pa.lib, "_pandas_api", None), "have_pandas", None)
        sys.modules["pandas"] = ModuleType("pandas")
        pa.array([0]).to_numpy()
    finally:
        sys.modules.pop("pandas", None)
        sys.meta_path.remove(hidden)
