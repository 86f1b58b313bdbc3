"""The tables are the same ones in PostgreSQL."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from pilothouse.delivery.forges.local.tables import TABLES


def test_every_table_is_one_for_postgresql_too() -> None:
    texts = {
        name: str(CreateTable(table).compile(dialect=postgresql.dialect())) for name, table in TABLES.tables.items()
    }
    assert "id BIGSERIAL NOT NULL" in texts["forge_comments"]
    assert "number INTEGER NOT NULL" in texts["forge_pulls"]
    assert all(name.startswith("forge_") for name in texts)
