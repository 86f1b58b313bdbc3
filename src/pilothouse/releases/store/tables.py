"""The tables of the control plane that belong to releases."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.sql.type_api import TypeEngine

metadata = MetaData()


def number() -> TypeEngine[int]:
    """The type of a row's number: SQLite numbers rows by itself only where the column is a plain INTEGER."""
    return BigInteger().with_variant(Integer(), "sqlite")
