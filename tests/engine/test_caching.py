"""Text that stays decompressed: how much, and that it is used."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from pilothouse.engine import Budget, Engine, caching, clearing, embedded, open_engine
from pilothouse.engine.caching import cache_size
from pilothouse.engine.clearing import Clearing
from pilothouse.engine.embedded import EmbeddedEngine


def test_the_size_is_a_share_of_memory() -> None:
    assert 1_000_000 < cache_size() <= 4_000_000_000


def test_limits_of_the_groups_above_hold_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd sets them: `MemoryMax=` of a service, or of the slice that it is in."""
    groups, own = tmp_path / "groups", tmp_path / "cgroup"
    service = groups / "system.slice" / "pilothouse.service"
    service.mkdir(parents=True)
    (service / "memory.max").write_text("max\n")
    own.write_text("0::/system.slice/pilothouse.service\n")
    monkeypatch.setattr(caching, "_GROUPS", groups)
    monkeypatch.setattr(caching, "_OWN_GROUP", own)
    unlimited = cache_size()
    (service.parent / "memory.max").write_text("800000000\n")
    assert cache_size() == 100_000_000 < unlimited
    (service / "memory.max").write_text("400000000\n")
    assert cache_size() == 50_000_000


def test_what_was_read_stays_decompressed(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, cache_bytes=50_000_000)
    engine.command(
        "INSERT INTO logs (identity, time, body) SELECT 1, now64(9), concat('line ', toString(number)) "
        "FROM numbers(20000)"
    )
    # The cache is the process's, and what other stores left in it stays.
    before = _held(engine)
    engine.query("SELECT count() FROM logs WHERE body LIKE '%7%'")
    unchanged = _held(engine) - before
    _ask(engine)
    added = _held(engine) - before
    engine.close()
    assert unchanged == 0
    assert added >= 200_000


def test_what_is_kept_is_not_held_against_the_query_that_read_it(tmp_path: Path) -> None:
    """A first look at more text than a query may hold, though the cache has room for it."""
    engine = open_engine(tmp_path, cache_bytes=400_000_000)
    engine.command(
        "INSERT INTO logs (identity, time, body) "
        "SELECT 1, now64(9), concat(repeat('x', 400), toString(rand64(number))) FROM numbers(250000)"
    )
    sql = "SELECT count() AS n FROM logs WHERE body LIKE '%77%' AND body NOT LIKE '%y%'"
    budget = Budget(memory_bytes=70_000_000, cached=True)
    found = engine.query(sql, budget=budget).to_pylist()
    assert found[0]["n"] > 10_000
    engine.close()


def test_what_merges_left_behind_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More decompressed text than there is to ask for; what is there once stays."""
    with closing(open_engine(tmp_path, cache_bytes=50_000_000)) as engine:
        assert isinstance(engine, EmbeddedEngine)
        # The engine goes on counting what was in the cache of a store of this process that is closed.
        before = _held(engine)
        monkeypatch.setattr(clearing, "_ROOM_BYTES", before)
        looking = Clearing(engine.beside)
        _write(engine)
        _ask(engine)
        there = _held(engine) - before
        looking.look(idle=False)
        assert _held(engine) - before == there > 1_000_000
        for _ in range(2):
            _write(engine, rows=1)
            engine.command("OPTIMIZE TABLE logs FINAL")
            _ask(engine)
        assert _held(engine) - before > 2 * there
        looking.look(idle=False)
        assert _held(engine) == before


def test_nobody_asks_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "Clearing", partial(Clearing, look_seconds=0.02, idle_seconds=0.1))
    with closing(open_engine(tmp_path, cache_bytes=50_000_000)) as engine:
        before = _held(engine)
        _write(engine)
        for _ in range(2):
            _ask(engine)
            deadline = time.monotonic() + 60
            while _held(engine) > before:
                assert time.monotonic() < deadline
                time.sleep(0.02)


def _write(engine: Engine, rows: int = 5000) -> None:
    engine.command(
        "INSERT INTO logs (identity, time, body) "
        f"SELECT 1, now64(9), concat(repeat('x', 400), toString(rand64(number))) FROM numbers({rows})"
    )


def _ask(engine: Engine) -> None:
    engine.query("SELECT count() FROM logs WHERE body LIKE '%8%'", budget=Budget(cached=True))


def _held(engine: Engine) -> int:
    found = engine.query("SELECT value FROM system.metrics WHERE metric = 'UncompressedCacheBytes'").to_pylist()
    return int(found[0]["value"])
