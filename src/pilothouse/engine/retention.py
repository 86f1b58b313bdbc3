"""How long rows are kept: ClickHouse drops whole days when their newest row is older than that.

Log lines that are some hours old are compressed again, harder: that takes some CPU-seconds for each gigabyte in the
background, saves a seventh of the disk, and makes them quicker to read (docs/adr/0015).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.engine.model import Engine

TABLES = ("logs", "spans", "samples", "distributions", "exemplars", "profiles", "profile_samples", "profile_minutes")
_LATER = {"logs": ", toDateTime(time) + toIntervalHour(6) RECOMPRESS CODEC(ZSTD(9))"}
# Of these a partition is a month, and names no time of day: kept until the whole month is over that long.
_MONTHLY = {"profile_stacks": "profiles"}
# What these say of others stays for two days longer than the last of them, which go by whole days.
_NAMES = {"series": ("samples", "distributions")}


def keep(engine: Engine, seconds: Mapping[str, float]) -> None:
    """Set each table's retention; a table that already has it is not touched."""
    found = engine.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    ).to_pylist()
    written = {row["name"]: row["create_table_query"] for row in found}
    clauses = {table: f"TTL toDateTime(time) + toIntervalSecond({int(seconds[table])})" for table in TABLES}
    for table, like in _MONTHLY.items():
        clauses[table] = f"TTL month + toIntervalDay({int(seconds[like] // 86_400) + 32})"
    for table, named in _NAMES.items():
        longest = max(int(seconds[name]) for name in named) + 2 * 86_400
        clauses[table] = f"TTL toDateTime(last_seen) + toIntervalSecond({longest})"
    for table, clause in clauses.items():
        whole = clause + _LATER.get(table, "")
        if table in written and whole not in written[table]:
            engine.command(f"ALTER TABLE {table} MODIFY {whole} SETTINGS materialize_ttl_after_modify = 0")
