"""How long rows are kept: ClickHouse drops whole days when their newest row is older than that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.engine.model import Engine

TABLES = ("logs", "spans", "samples", "distributions", "exemplars", "profiles", "profile_samples")


def keep(engine: Engine, seconds: Mapping[str, float]) -> None:
    """Set each table's retention; a table that already has it is not touched."""
    found = engine.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    ).to_pylist()
    written = {row["name"]: row["create_table_query"] for row in found}
    for table in TABLES:
        clause = f"TTL toDateTime(time) + toIntervalSecond({int(seconds[table])})"
        if table in written and clause not in written[table]:
            engine.command(f"ALTER TABLE {table} MODIFY {clause} SETTINGS materialize_ttl_after_modify = 0")
