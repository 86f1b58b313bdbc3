"""Brings the control plane's database to its newest form, at every start, whoever comes first.

The steps are modules of `migrations`, `to_0001` and so on; they only go forward.
"""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from pilothouse.control.migrations import NEWEST

_VERSIONS = Table("control_version", MetaData(), Column("version", Integer, primary_key=True, autoincrement=False))
# Two processes that make the same tables at the same time fail on PostgreSQL; any number that nobody else locks.
_POSTGRESQL_LOCK = 7_041_776


class SchemaError(SQLAlchemyError):
    """The database has a form that this Pilothouse does not know."""


def migrate(database: Engine, newest: int = NEWEST) -> None:
    """Take all steps that were not taken yet, under a lock and in one transaction: all of them, or none.

    Raises `SchemaError` for a database of a newer Pilothouse; it is left as it was.
    """
    with database.connect() as connection:
        if version(connection) == newest:
            return
    with database.begin() as connection:
        _lock(connection)
        found = version(connection)
        if found > newest:
            raise SchemaError(
                f"the control plane's database has form {found}, of a newer Pilothouse; this one knows {newest}: "
                "install the newer one again, or restore a backup from before it"
            )
        for step in range(found + 1, newest + 1):
            import_module(f"pilothouse.control.migrations.to_{step:04}").upgrade(connection)
            _VERSIONS.create(connection, checkfirst=True)
            connection.execute(_VERSIONS.insert().values(version=step))


def version(connection: Connection) -> int:
    """The newest step that was taken; 0 where none was."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return 0
    return connection.execute(select(func.max(_VERSIONS.c.version))).scalar() or 0


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
