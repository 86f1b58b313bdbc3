"""What one process asks of the one that drives a branch's merge pool."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, MetaData, String, Table

TABLES = MetaData()
Table(
    "delivery_nudges",
    TABLES,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("forge", String(63), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
)


def upgrade(connection: Connection) -> None:
    """Make the table."""
    TABLES.create_all(connection)
