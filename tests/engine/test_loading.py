"""How chDB is loaded: what its allocator is told, and that nothing else hears of it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

from pilothouse.engine import Engine


def test_the_allocator_keeps_what_one_segment_took_for_the_next(engine: Engine) -> None:
    said = engine.query("SELECT stats FROM system.jemalloc_stats").to_pylist()[0]["stats"]
    options = dict(line.strip().removeprefix("opt.").split(": ", 1) for line in said.splitlines() if "  opt." in line)
    assert options["oversize_threshold"] == "0"
    assert options["dirty_decay_ms"].startswith("20000")
    assert options["percpu_arena"] == '"disabled"'


def test_children_do_not_inherit_what_the_allocator_was_told(engine: Engine) -> None:
    assert "JE_MALLOC_CONF" not in os.environ


def test_arrow_gives_numbers_without_importing_pandas() -> None:
    code = (
        "from pilothouse.engine.arrow import do_without_pandas; do_without_pandas(); import sys, pyarrow as pa; "
        "assert list(pa.chunked_array([pa.array([1, 2])]).to_numpy()) == [1, 2]; assert 'pandas' not in sys.modules; "
        "import importlib.util; assert importlib.util.find_spec('pandas')"
    )
    # Without pandas nothing of this would be shown.
    assert importlib.util.find_spec("pandas")
    subprocess.run([sys.executable, "-c", code], check=True)
