"""The tables of runs in the control plane's database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

TABLES = MetaData()

RUNS = Table(
    "pipeline_runs",
    TABLES,
    Column("uid", String(36), primary_key=True),
    Column("name", String(253), nullable=False, index=True),
    Column("namespace", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("pipeline", String(253), nullable=False, index=True),
    Column("created", BigInteger, nullable=False, index=True),
    Column("started", BigInteger, nullable=False, default=0),
    Column("finished", BigInteger, nullable=False, default=0),
    # True, False, Unknown: as in the condition.
    Column("status", String(8), nullable=False, index=True),
    Column("reason", String(64), nullable=False),
    Column("message", Text, nullable=False),
    # The object as it was asked for, the documents that it may refer to, the object as it is now.
    Column("asked", Text, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("object", Text, nullable=False),
    # What somebody asks of the process that runs it: Cancelled, CancelledRunFinally, StoppedRunFinally.
    Column("wanted", String(24), nullable=False, default=""),
    # machine:pid:start time of the process that runs it; empty when nobody does.
    Column("owner", String(128), nullable=False, default=""),
    Column("concurrency", String(253), nullable=False, default="", index=True),
    Column("trace", String(32), nullable=False, default=""),
)

TASK_RUNS = Table(
    "pipeline_task_runs",
    TABLES,
    Column("uid", String(36), primary_key=True),
    Column("run", String(36), nullable=False),
    Column("name", String(253), nullable=False),
    Column("pipeline_task", String(253), nullable=False),
    Column("pipeline", String(253), nullable=False, default=""),
    Column("combination", Integer, nullable=False, default=0),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False, default=0),
    Column("status", String(8), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False, default=1),
    Column("inputs", String(64), nullable=False, default=""),
    Column("object", Text, nullable=False),
    Index("pipeline_task_runs_by_run", "run"),
    Index("pipeline_task_runs_by_task", "pipeline", "pipeline_task", "started"),
)

# Documents are many and the same for many runs: kept once under their hash.
BUNDLES = Table(
    "pipeline_bundles",
    TABLES,
    Column("hash", String(64), primary_key=True),
    Column("documents", Text, nullable=False),
)

CACHE = Table(
    "pipeline_cache",
    TABLES,
    Column("key", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("task_run", String(253), nullable=False),
    Column("results", Text, nullable=False),
)
