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
