"""Text that stays decompressed: how much, and that it is used."""

from pathlib import Path

from pilothouse.engine import Budget, open_engine
from pilothouse.engine.caching import cache_size


def test_the_size_is_a_share_of_memory() -> None:
    assert 1_000_000 < cache_size() <= 4_000_000_000


def test_what_was_read_stays_decompressed(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, cache_bytes=50_000_000)
    engine.command(
        "INSERT INTO logs (identity, time, body) SELECT 1, now64(9), concat('line ', toString(number)) "
        "FROM numbers(20000)"
    )

    def held() -> int:
        found = engine.query("SELECT value FROM system.metrics WHERE metric = 'UncompressedCacheBytes'").to_pylist()
        return int(found[0]["value"])

    # The cache is the process's, and what other stores left in it stays.
    before = held()
    engine.query("SELECT count() FROM logs WHERE body LIKE '%7%'")
    unchanged = held() - before
    engine.query("SELECT count() FROM logs WHERE body LIKE '%8%'", budget=Budget(cached=True))
    added = held() - before
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
