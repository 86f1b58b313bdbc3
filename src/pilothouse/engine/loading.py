"""Loading chDB: what its allocator does with memory that is free is said before, in the environment.

A segment becomes one block of some hundred megabytes, and the next one needs as much again. As ClickHouse sets it, what
is larger than 64 MB goes back to the system at once and the rest after five seconds, and a thread that moves to another
core finds none of what it left: a busy server touched new pages all the time, and clearing them was a third of what
storing a log record took. An idle one still gives all of it back.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

_VARIABLE = "JE_MALLOC_CONF"
_SETTINGS = "oversize_threshold:0,dirty_decay_ms:20000,muzzy_decay_ms:0,percpu_arena:disabled"
_FEWEST_ARENAS = 4


def load_chdb() -> Any:
    """The package. What the environment says of its allocator goes before what is said here."""
    if "chdb" in sys.modules:
        return sys.modules["chdb"]
    said = os.environ.get(_VARIABLE)
    settings = f"{_SETTINGS},narenas:{max(_FEWEST_ARENAS, os.cpu_count() or 0)}"
    os.environ[_VARIABLE] = f"{settings},{said}" if said else settings
    try:
        return importlib.import_module("chdb")
    finally:
        # Read once, as the library is loaded: our own children are to know nothing of it.
        if said is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = said
