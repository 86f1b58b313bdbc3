"""A store filled up from what was really sent: more processes, more hours, as a day of a service would have left."""

from __future__ import annotations

from typing import Any

from pilothouse.engine import Engine
from pilothouse.signals.profiles.cohorts import cohort_of

_LARGE = (
    " SETTINGS max_insert_block_size = 4000000, min_insert_block_size_rows = 4000000, "
    "min_insert_block_size_bytes = 1000000000, max_memory_usage = 6000000000"
)
_TABLES = ("profiles", "profile_samples", "profile_minutes", "profile_stacks")


def sizes(engine: Engine, gzipped: int, profiles: int) -> dict[str, Any]:
    """Bytes on disk after merging, by table, beside what was sent as gzipped pprof."""
    for table in _TABLES:
        engine.command(f"OPTIMIZE TABLE {table} FINAL")
    rows = engine.query(
        "SELECT table, sum(bytes_on_disk) AS bytes, sum(rows) AS rows FROM system.parts "
        "WHERE active AND database = currentDatabase() AND startsWith(table, 'profile') GROUP BY table"
    ).to_pylist()
    bytes_of = {row["table"]: row["bytes"] for row in rows}
    count = next(row["rows"] for row in rows if row["table"] == "profile_samples")
    whole = sum(bytes_of.values())
    # Stacks are kept once a month: they do not grow with the profiles.
    running = whole - bytes_of["profile_stacks"]
    month = running / profiles * 6 * 60 * 24 * 30
    return {
        "tables": rows,
        "part of the gzipped pprof": whole / gzipped,
        "bytes a sample": whole / count,
        "bytes a profile": running / profiles,
        "GB a month, 1000 processes, a profile of two types every 10 s": 1000 * month / 1e9,
        "the same as gzipped pprof files, GB": 1000 * gzipped / profiles * 6 * 60 * 24 * 30 / 1e9,
    }


def fill(engine: Engine, processes: int, minutes: int, wanted: int, hours: int, days: int) -> None:
    """From `processes` x `minutes` of the last full hour's end to `wanted` processes x `hours`, and days of minutes."""
    copies = max(wanted // processes - 1, 0)
    engine.command("ALTER TABLE profile_samples DELETE WHERE type != 'cpu' SETTINGS mutations_sync = 2")
    engine.command("TRUNCATE TABLE profile_minutes")
    engine.command(
        "INSERT INTO resources SELECT identity + k, signal, mapUpdate(attributes, map('service.instance.id', "
        f"toString(identity + k))), kinds, first_seen - INTERVAL {days} DAY, last_seen "
        f"FROM resources ARRAY JOIN range(0, {copies + 1}) AS k"
    )
    engine.command("DELETE FROM resources WHERE attributes['service.instance.id'] LIKE 'shop-%'")
    for table in ("profiles", "profile_samples"):
        more = f"SELECT * REPLACE(identity + k AS identity) FROM {table} ARRAY JOIN range(1, {copies + 1}) AS k"
        engine.command(f"INSERT INTO {table} {more} WHERE type = 'cpu'{_LARGE}")
        for back in range(minutes, 60, minutes):
            engine.command(_earlier(table, f"INTERVAL {back} MINUTE", f"INTERVAL {minutes} MINUTE"))
        for back in range(1, hours):
            engine.command(_earlier(table, f"INTERVAL {back} HOUR", "INTERVAL 1 HOUR"))
    engine.command(
        f"INSERT INTO profile_minutes SELECT {_cohort(engine)}, type, toStartOfMinute(time) AS minute, stack, "
        f"sum(value) FROM profile_samples GROUP BY type, minute, stack{_LARGE}"
    )
    for back in range(1, days):
        engine.command(_earlier("profile_minutes", f"INTERVAL {back} DAY", "INTERVAL 1 DAY"))
    for table in _TABLES:
        engine.command(f"OPTIMIZE TABLE {table}")


def _earlier(table: str, back: str, whole: str) -> str:
    last = "(SELECT toStartOfHour(max(time) + INTERVAL 59 MINUTE) FROM profiles)"
    # Filtered below: a time in WHERE beside the REPLACE would be the time that is made.
    return (
        f"INSERT INTO {table} SELECT * REPLACE(time - {back} AS time) FROM ("
        f"SELECT * FROM {table} WHERE type = 'cpu' AND time >= {last} - {whole}){_LARGE}"
    )


def _cohort(engine: Engine) -> int:
    """Of the one service that there is."""
    attributes = engine.query("SELECT attributes FROM resources LIMIT 1").to_pylist()[0]["attributes"]
    return cohort_of(dict(attributes))
