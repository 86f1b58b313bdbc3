"""The table of events in the control plane's database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, text

TABLES = MetaData()
# SQLite numbers rows by itself only where the column is a plain INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_OPEN = text("state IN ('waiting', 'taken')")
_TAKEN = text("state = 'taken'")

EVENTS = Table(
    "delivery_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("forge", String(63), nullable=False),
    Column("delivery", String(255), nullable=False),
    # SHA-256 of what was signed: the id of a delivery stands in a header that no signature covers.
    Column("digest", String(64), nullable=False),
    Column("lane", String(512), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(64), nullable=False),
    # waiting, taken, done, ignored, aside
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    # Waiting: not before; taken: until when the lease holds. Seconds since the epoch, as all times here.
    Column("due", Float, nullable=False),
    Column("owner", String(160), nullable=False),
    Column("received", Float, nullable=False),
    Column("finished", Float, nullable=False),
    Column("reason", Text, nullable=False),
    # The event as JSON; empty once its retention is over, when only what makes it known again is kept.
    Column("content", Text, nullable=False),
    Index("delivery_events_known", "forge", "delivery", unique=True),
    Index("delivery_events_digest", "forge", "digest", unique=True),
    Index("delivery_events_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("delivery_events_open_lanes", "lane", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    # The database itself holds that of one lane one event at a time is worked on.
    Index("delivery_events_one_a_lane", "lane", unique=True, sqlite_where=_TAKEN, postgresql_where=_TAKEN),
    Index("delivery_events_of_repository", "repository", "number", "id"),
    Index("delivery_events_received", "received"),
)
