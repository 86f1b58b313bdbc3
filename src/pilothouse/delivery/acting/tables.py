"""The tables of what was decided, done and run, in the control plane's database. Times are seconds since the epoch."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

TABLES = MetaData()
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

# One decision an event, with the records that led to it (JSON).
DECISIONS = Table(
    "delivery_decisions",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("forge", String(63), nullable=False),
    Column("delivery", String(255), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("author", String(255), nullable=False),
    Column("head", String(64), nullable=False),
    Column("records", Text, nullable=False),
    # What it was decided from (`replaying.Snapshot` as JSON), for deciding it again by other rules.
    Column("snapshot", Text, nullable=False),
    Index("delivery_decisions_known", "forge", "delivery", unique=True),
    Index("delivery_decisions_of_pull", "repository", "number", "id"),
)

# What a decision asks for, in order; `state` is planned, done or failed.
EFFECTS = Table(
    "delivery_effects",
    TABLES,
    Column("decision", _NUMBER, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("effect", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
)

# What is known of a pull request besides what its forge knows.
PULLS = Table(
    "delivery_pulls",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("trusted_head", String(64), nullable=False, default=""),
    Column("state", String(8), nullable=False),
    Column("title", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("base", String(255), nullable=False),
    Column("head", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("updated", Float, nullable=False),
    Index("delivery_pulls_updated", "updated"),
)

# A job for a commit. `revision` is the commit that is tested; `state` starting, running, success, failure, error or
# aborted; `reported` the state that the forge was last told.
JOBS = Table(
    "delivery_jobs",
    TABLES,
    Column("uid", String(36), primary_key=True),
    Column("forge", String(63), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("job", String(255), nullable=False),
    Column("context", String(255), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("head", String(64), nullable=False),
    Column("base", String(64), nullable=False),
    Column("revision", String(64), nullable=False),
    Column("run", String(253), nullable=False),
    Column("state", String(8), nullable=False),
    Column("reported", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("finished", Float, nullable=False),
    Index("delivery_jobs_of_pull", "repository", "number", "created"),
    Index("delivery_jobs_open", "state", "created"),
)

# The merge pool of a branch as it was last written, and the merge that is on its way.
POOLS = Table(
    "delivery_pools",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("branch", String(255), primary_key=True),
    Column("pool", Text, nullable=False),
    Column("history", Text, nullable=False),
    Column("updated", Float, nullable=False),
)

# What the process that drives a branch's pool is asked to look at by others: a pull request (`again`: its tests are
# asked for again), or the branch and its tests (number 0).
NUDGES = Table(
    "delivery_nudges",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("forge", String(63), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
)
