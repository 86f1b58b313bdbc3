"""All tables as they were when forms began to be numbered; what a database has of them already is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)  # fmt: skip

TABLES = MetaData()
# SQLite numbers rows by itself only where the column is a plain INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade(connection: Connection) -> None:
    """Make what is missing: tables, and columns of tables that an unnumbered Pilothouse made."""
    known = set(inspect(connection).get_table_names())
    TABLES.create_all(connection)
    for table in TABLES.sorted_tables:
        if table.name in known:
            _complete(connection, table)


def _complete(connection: Connection, table: Table) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    quoted = connection.dialect.identifier_preparer
    for column in table.columns:
        if column.name not in there and column.server_default is not None:
            kind = column.type.compile(connection.dialect)
            default: Any = column.server_default
            connection.exec_driver_sql(
                f"ALTER TABLE {quoted.format_table(table)} ADD COLUMN {quoted.format_column(column)} {kind} "
                f"NOT NULL DEFAULT '{default.arg}'"
            )


def _where(condition: str) -> dict[str, Any]:
    """A partial index on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


Table(
    "acts",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("caller", String(255), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("method", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Index("ix_acts_at", "at"),
)
Table(
    "tokens",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("tenant", String(64), nullable=False, server_default=""),
    Column("session", Integer, nullable=False, server_default="0"),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=True),
)
Table(
    "delivery_claims",
    TABLES,
    Column("name", String(63), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("until", Float, nullable=False),
)
Table(
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
    Column("snapshot", Text, nullable=False),
    Index("delivery_decisions_known", "forge", "delivery", unique=True),
    Index("delivery_decisions_of_pull", "repository", "number", "id"),
)
Table(
    "delivery_effects",
    TABLES,
    Column("decision", _NUMBER, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("effect", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
)
Table(
    "delivery_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("forge", String(63), nullable=False),
    Column("delivery", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("lane", String(512), nullable=False),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("owner", String(160), nullable=False),
    Column("received", Float, nullable=False),
    Column("finished", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content", Text, nullable=False),
    Index("delivery_events_digest", "forge", "digest", unique=True),
    Index("delivery_events_known", "forge", "delivery", unique=True),
    Index("delivery_events_of_repository", "repository", "number", "id"),
    Index("delivery_events_one_a_lane", "lane", unique=True, **_where("state = 'taken'")),
    Index("delivery_events_open", "id", **_where("state IN ('waiting', 'taken')")),
    Index("delivery_events_open_lanes", "lane", "id", **_where("state IN ('waiting', 'taken')")),
    Index("delivery_events_received", "received"),
)
Table(
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
Table(
    "delivery_polled",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("at", Float, nullable=False),
    Column("seen", Text, nullable=False),
)
Table(
    "delivery_pools",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("branch", String(255), primary_key=True),
    Column("pool", Text, nullable=False),
    Column("history", Text, nullable=False),
    Column("updated", Float, nullable=False),
)
Table(
    "delivery_previews",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("repository", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("place", String(255), nullable=False),
    Column("how", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("forge", String(63), nullable=False),
    UniqueConstraint("forge", "repository", "number"),
    Index("ix_delivery_previews_state", "state"),
)
Table(
    "delivery_pulls",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("trusted_head", String(64), nullable=False),
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
Table(
    "delivery_released_commits",
    TABLES,
    Column("forge", String(63), primary_key=True),
    Column("repository", String(255), primary_key=True),
    Column("commit", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", String(255), nullable=False),
    Column("run", String(255), nullable=False),
    Column("asked", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Index("ix_delivery_released_commits_state", "state"),
)
Table(
    "forge_collaborators",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("login", String(64), primary_key=True),
    Column("permission", String(8), nullable=False),
)
Table(
    "forge_comments",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("repository", _NUMBER, nullable=False),
    Column("number", Integer, nullable=False),
    Column("key", String(255), nullable=False),
    Column("author", String(64), nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("state", String(20), nullable=False),
    Column("commit", String(40), nullable=False),
    Column("reactions", Text, nullable=False),
)
Table(
    "forge_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("delivery", String(64), nullable=False),
    Column("event", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    UniqueConstraint("delivery"),
    Index("ix_forge_events_told", "told"),
)
Table(
    "forge_labels",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("name", String(255), primary_key=True),
)
Table(
    "forge_members",
    TABLES,
    Column("organization", String(64), primary_key=True),
    Column("login", String(64), primary_key=True),
    Column("permission", String(8), nullable=False),
)
Table(
    "forge_milestones",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("title", String(255), primary_key=True),
    Column("open", Boolean, nullable=False),
)
Table(
    "forge_organizations",
    TABLES,
    Column("key", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
)
Table(
    "forge_protections",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("pattern", String(255), primary_key=True),
    Column("push", String(8), nullable=False),
)
Table(
    "forge_pulls",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("draft", Boolean, nullable=False),
    Column("head_repository", _NUMBER, nullable=True),
    Column("head_ref", String(255), nullable=False),
    Column("head_sha", String(40), nullable=False),
    Column("base_ref", String(255), nullable=False),
    Column("labels", Text, nullable=False),
    Column("assignees", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    Column("milestone", String(255), nullable=False),
    Column("tried_head", String(40), nullable=False),
    Column("tried_base", String(40), nullable=False),
    Column("tried_merge", String(40), nullable=False),
    Column("merged_onto", String(40), nullable=False),
    Column("merge_sha", String(40), nullable=False),
    Column("merged_by", String(64), nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Index("ix_forge_pulls_head_repository", "head_repository"),
    Index("ix_forge_pulls_state", "state"),
)
Table(
    "forge_refs",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("ref", String(255), primary_key=True),
    Column("sha", String(40), nullable=False),
)
Table(
    "forge_releases",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("tag", String(255), primary_key=True),
    Column("title", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("prerelease", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)
Table(
    "forge_repositories",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", String(129), nullable=False),
    Column("full_name", String(129), nullable=False),
    Column("directory", String(40), nullable=False),
    Column("default_branch", String(255), nullable=False),
    Column("description", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("fork_of", _NUMBER, nullable=True),
    Column("last_number", Integer, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("key"),
)
Table(
    "forge_statuses",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("sha", String(40), primary_key=True),
    Column("context", String(255), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Float, nullable=False),
)
Table(
    "forge_tokens",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("hash", String(64), nullable=False),
    Column("login", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("may_write", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    UniqueConstraint("hash"),
    Index("ix_forge_tokens_login", "login"),
)
Table(
    "forge_users",
    TABLES,
    Column("key", String(64), primary_key=True),
    Column("login", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("email", String(255), nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created", Float, nullable=False),
)
Table(
    "hazard_findings",
    TABLES,
    Column("fingerprint", String(16), primary_key=True),
    Column("cluster", String(255), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("family", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("container", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("history", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("resolved", BigInteger, nullable=True),
    Index("ix_hazard_findings_resolved", "resolved"),
    Index("ix_hazard_findings_rule", "rule"),
)
Table(
    "pipeline_bundles",
    TABLES,
    Column("hash", String(64), primary_key=True),
    Column("documents", Text, nullable=False),
)
Table(
    "pipeline_cache",
    TABLES,
    Column("key", String(64), primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("task_run", String(253), nullable=False),
    Column("results", Text, nullable=False),
)
Table(
    "pipeline_runs",
    TABLES,
    Column("uid", String(36), primary_key=True),
    Column("name", String(253), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("pipeline", String(253), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("bundle", String(64), nullable=False),
    Column("object", Text, nullable=False),
    Column("wanted", String(24), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("concurrency", String(253), nullable=False),
    Column("trace", String(32), nullable=False),
    Index("ix_pipeline_runs_concurrency", "concurrency"),
    Index("ix_pipeline_runs_created", "created"),
    Index("ix_pipeline_runs_name", "name"),
    Index("ix_pipeline_runs_pipeline", "pipeline"),
    Index("ix_pipeline_runs_status", "status"),
)
Table(
    "pipeline_task_runs",
    TABLES,
    Column("uid", String(36), primary_key=True),
    Column("run", String(36), nullable=False),
    Column("name", String(253), nullable=False),
    Column("pipeline_task", String(253), nullable=False),
    Column("pipeline", String(253), nullable=False),
    Column("combination", Integer, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("inputs", String(64), nullable=False),
    Column("object", Text, nullable=False),
    Index("pipeline_task_runs_by_run", "run"),
    Index("pipeline_task_runs_by_task", "pipeline", "pipeline_task", "started"),
)
Table(
    "promotion_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("promotion", _NUMBER, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Index("ix_promotion_events_promotion", "promotion"),
)
Table(
    "promotions",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("environment", String(63), nullable=False),
    Column("before", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("onward", Boolean, nullable=False),
    Column("repository", String(255), nullable=False),
    Column("branch", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("head", String(64), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("rollout", Integer, nullable=False),
    Column("reverts", Integer, nullable=False),
    Column("report", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("approved_by", String(255), nullable=False),
    Column("blocked", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("forge", String(63), nullable=False, server_default=""),
    Index("ix_promotions_environment", "environment"),
    Index("ix_promotions_service", "service"),
    Index("ix_promotions_state", "state"),
)
Table(
    "release_marks",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("commit", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("forge", String(63), nullable=False, server_default=""),
    Column("repository", String(255), nullable=False, server_default=""),
    Column("pulls", Text, nullable=False, server_default="[]"),
    Column("run", String(255), nullable=False, server_default=""),
    Column("tag", String(255), nullable=False, server_default=""),
    Index("ix_release_marks_at", "at"),
    Index("ix_release_marks_service", "service"),
)
Table(
    "rollout_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("rollout", _NUMBER, nullable=False),
    Column("at", Float, nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("evidence", Text, nullable=False),
    Index("ix_rollout_events_rollout", "rollout"),
)
Table(
    "rollouts",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("started", Float, nullable=False),
    Column("plan", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("owned_until", Float, nullable=False),
    Index("ix_rollouts_service", "service"),
    Index("ix_rollouts_state", "state"),
)
Table(
    "slos",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("objective", Text, nullable=False),
    Index("ix_slos_service", "service"),
)
Table(
    "verdicts",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("service", String(255), nullable=False),
    Column("baseline", String(255), nullable=False),
    Column("candidate", String(255), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("summary", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("comparison", Text, nullable=False),
    Index("ix_verdicts_candidate", "candidate"),
    Index("ix_verdicts_service", "service"),
)
