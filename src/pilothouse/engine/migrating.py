"""Versioned migrations: numbered SQL files that only go forward, each applied once.

A file holds statements, each ended by a semicolon at the end of a line. `ENGINE = {MergeTree}` (or another of the
family, with its arguments) is written for where the table will live: as it stands in one process or on one server;
as its Replicated form with a Distributed table in front on a cluster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from pilothouse.engine.binding import identifier, quote
from pilothouse.engine.errors import EngineError, QueryError

if TYPE_CHECKING:
    from pilothouse.engine.model import Engine

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_CREATE = re.compile(r"CREATE TABLE (\w+)")
_ENGINE = re.compile(r"ENGINE = \{(\w+)\}")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where tables live: `cluster` is a ClickHouse cluster's name, or empty for one place.

    `storage_policy` names the disks that they lie on, S3's for one, as the server's configuration has them; empty for
    its default.
    """

    cluster: str = ""
    storage_policy: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step: its statements in order, still with engine places."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """All steps that this version knows, in order."""
    found = []
    for file in resources.files("pilothouse.engine").joinpath("migrations").iterdir():
        if match := _FILE.fullmatch(file.name):
            text = _COMMENT.sub("", file.read_text())
            parts = tuple(part.strip() for part in re.split(r";\s*$", text, flags=re.MULTILINE) if part.strip())
            found.append(Migration(int(match[1]), match[2], parts))
    return sorted(found, key=lambda step: step.number)


def render(statement: str, layout: Layout) -> list[str]:
    """The statements to run for one statement of a file, in this layout."""
    statement = _on_policy(statement, layout.storage_policy)
    if not layout.cluster:
        return [_ENGINE.sub(r"ENGINE = \1()", statement)]
    on_cluster = f" ON CLUSTER '{layout.cluster}'"
    created = _CREATE.search(statement)
    if created is None:
        viewed = re.sub(r"(CREATE MATERIALIZED VIEW \w+)", rf"\1{on_cluster}", statement)
        local = re.sub(r"(ALTER TABLE \w+)", rf"\1_local{on_cluster}", viewed)
        # What is asked and written through has the columns of what is behind it, and stores nothing itself.
        front = re.sub(r"(ALTER TABLE \w+)", rf"\1{on_cluster}", re.sub(r" CODEC\(.*\)$", "", viewed))
        return [local, front] if " ADD COLUMN " in viewed else [local]
    name = created[1]
    local = _ENGINE.sub(
        lambda kind: (
            f"ENGINE = Replicated{kind[1]}('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}')"
        ),
        statement.replace(f"CREATE TABLE {name}", f"CREATE TABLE {name}_local{on_cluster}", 1),
    )
    front = (
        f"CREATE TABLE {name}{on_cluster} AS {name}_local "
        f"ENGINE = Distributed('{layout.cluster}', currentDatabase(), '{name}_local', {_SHARDING.get(name, 'rand()')})"
    )
    return [local, front]


def _on_policy(statement: str, policy: str) -> str:
    """A table on the disks of a policy; what is kept in memory lies on none."""
    if not policy or not _ENGINE.search(statement):
        return statement
    setting = f"SETTINGS storage_policy = {quote(policy)}"
    before, named, others = statement.rpartition("\nSETTINGS ")
    return f"{before}\n{setting}, {others}" if named else f"{statement}\n{setting}"


# What is asked together stays together: a trace, a series, an identity.
_SHARDING = {
    "resources": "identity",
    "logs": "identity",
    "spans": "cityHash64(trace_id)",
    "series": "series",
    "samples": "series",
    "distributions": "series",
    "exemplars": "series",
    "profiles": "identity",
    "profile_samples": "identity",
    "profile_minutes": "cohort",
    "profile_stacks": "stack",
}


def pending(engine: Engine) -> list[Migration]:
    """The steps that this store has not seen; raises `EngineError` when the store is newer than we are."""
    engine.command(
        "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, applied_at DateTime) "
        "ENGINE = MergeTree ORDER BY number"
    )
    applied = set(engine.query("SELECT number FROM schema_migrations").column(0).to_pylist())
    known = migrations()
    if unknown := applied - {step.number for step in known}:
        raise EngineError(f"the store was written by a newer Pilothouse (migration {max(unknown)}); upgrade this one")
    return [step for step in known if step.number not in applied]


def migrate(engine: Engine, layout: Layout, dry_run: bool = False, upto: int | None = None) -> list[str]:
    """Bring the store up to date, or to the migration `upto`.

    Returns the statements that were (or with `dry_run` would be) run.
    """
    ran = []
    for step in pending(engine):
        if upto is not None and step.number > upto:
            break
        for statement in (line for part in step.statements for line in render(part, layout)):
            ran.append(statement)
            if not dry_run:
                engine.command(statement)
        if not dry_run:
            engine.command(
                "INSERT INTO schema_migrations SELECT {number:UInt32}, {name:String}, now()",
                {"number": step.number, "name": step.name},
            )
    return ran


def move(engine: Engine, layout: Layout) -> list[str]:
    """Put tables that were made before on the layout's storage policy; returns their names.

    ClickHouse moves their parts in time, and refuses a policy without the disks on which they lie: `EngineError`.
    """
    if not layout.storage_policy:
        return []
    found = engine.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' "
        "AND storage_policy != {policy:String} AND name != 'schema_migrations' ORDER BY name",
        {"policy": layout.storage_policy},
    )
    names: list[str] = found.column(0).to_pylist()
    everywhere = f" ON CLUSTER {quote(layout.cluster)}" if layout.cluster else ""
    for name in names:
        to = f"MODIFY SETTING storage_policy = {quote(layout.storage_policy)}"
        try:
            engine.command(f"ALTER TABLE {identifier(name)}{everywhere} {to}")
        except QueryError as error:
            raise EngineError(f"{name} cannot be put on the storage policy {layout.storage_policy}: {error}") from None
    return names
