"""The tables of the built-in forge in the control plane's database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, String, Table, Text, UniqueConstraint

TABLES = MetaData()

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_LOGIN = String(64)
_REF = String(255)
_SHA = String(40)

# `key` is the name in lower case: names are compared without case.
USERS = Table(
    "forge_users",
    TABLES,
    Column("key", _LOGIN, primary_key=True),
    Column("login", _LOGIN, nullable=False),
    Column("name", String(255), nullable=False),
    Column("email", String(255), nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created", Float, nullable=False),
)

TOKENS = Table(
    "forge_tokens",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    # SHA-256 of the token: it is 256 bits of chance, so that no slower hash protects it better.
    Column("hash", String(64), nullable=False, unique=True),
    Column("login", _LOGIN, nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("may_write", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
)

ORGANIZATIONS = Table(
    "forge_organizations",
    TABLES,
    Column("key", _LOGIN, primary_key=True),
    Column("name", _LOGIN, nullable=False),
)

MEMBERS = Table(
    "forge_members",
    TABLES,
    Column("organization", _LOGIN, primary_key=True),
    Column("login", _LOGIN, primary_key=True),
    # What a member may do in all of the organisation's repositories; admin for owners.
    Column("permission", String(8), nullable=False),
)

REPOSITORIES = Table(
    "forge_repositories",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", String(129), nullable=False, unique=True),
    Column("full_name", String(129), nullable=False),
    Column("directory", String(40), nullable=False),
    Column("default_branch", _REF, nullable=False),
    Column("description", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("fork_of", _NUMBER, nullable=True),
    Column("last_number", Integer, nullable=False),
    Column("created", Float, nullable=False),
)

COLLABORATORS = Table(
    "forge_collaborators",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("login", _LOGIN, primary_key=True),
    Column("permission", String(8), nullable=False),
)

# A protected branch is never deleted and never moved backwards; `push` says who may push to it at all.
PROTECTIONS = Table(
    "forge_protections",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("pattern", _REF, primary_key=True),
    Column("push", String(8), nullable=False),
)

# The refs as they were last told of; what differs in the repository has yet to be told.
REFS = Table(
    "forge_refs",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("ref", _REF, primary_key=True),
    Column("sha", _SHA, nullable=False),
)

PULLS = Table(
    "forge_pulls",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("author", _LOGIN, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("draft", Boolean, nullable=False),
    Column("head_repository", _NUMBER, nullable=True, index=True),
    Column("head_ref", _REF, nullable=False),
    Column("head_sha", _SHA, nullable=False),
    Column("base_ref", _REF, nullable=False),
    # JSON arrays of text.
    Column("labels", Text, nullable=False),
    Column("assignees", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    Column("milestone", String(255), nullable=False),
    # The last try to merge: of which two commits, and the commit that came of it (empty: conflicts).
    Column("tried_head", _SHA, nullable=False),
    Column("tried_base", _SHA, nullable=False),
    Column("tried_merge", _SHA, nullable=False),
    # What the base branch was at when it was merged, and what a merge is about to make of it.
    Column("merged_onto", _SHA, nullable=False),
    Column("merge_sha", _SHA, nullable=False),
    Column("merged_by", _LOGIN, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
)

# Comments, and reviews: those have a state and a commit.
COMMENTS = Table(
    "forge_comments",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("repository", _NUMBER, nullable=False),
    Column("number", Integer, nullable=False),
    Column("key", String(255), nullable=False),
    Column("author", _LOGIN, nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("state", String(20), nullable=False),
    Column("commit", _SHA, nullable=False),
    Column("reactions", Text, nullable=False),
    # A comment on a line of the change; empty and 0 for others.
    Column("path", Text, nullable=False, server_default=""),
    Column("line", Integer, nullable=False, server_default="0"),
)

STATUSES = Table(
    "forge_statuses",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("sha", _SHA, primary_key=True),
    Column("context", String(255), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("description", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Float, nullable=False),
)

LABELS = Table(
    "forge_labels",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("name", String(255), primary_key=True),
)

MILESTONES = Table(
    "forge_milestones",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("title", String(255), primary_key=True),
    Column("open", Boolean, nullable=False),
)

RELEASES = Table(
    "forge_releases",
    TABLES,
    Column("repository", _NUMBER, primary_key=True),
    Column("tag", _REF, primary_key=True),
    Column("title", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("prerelease", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)

# What happened, written together with what it changed; told to the inbox afterwards, in this order.
EVENTS = Table(
    "forge_events",
    TABLES,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("delivery", String(64), nullable=False),
    Column("event", Text, nullable=False),
    Column("told", Boolean, nullable=False, index=True),
    UniqueConstraint("delivery"),
)
