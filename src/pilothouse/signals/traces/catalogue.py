"""Which services there are, and the operations of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.signals.selecting import identities
from pilothouse.signals.selector import equals
from pilothouse.signals.traces.summaries import service_names

if TYPE_CHECKING:
    from pilothouse.engine import Engine

MOST = 10_000


def services(engine: Engine) -> list[str]:
    """The names of all services that send spans."""
    return sorted({name for name in service_names(engine).values() if name})


def operations(engine: Engine, service: str) -> list[tuple[str, int]]:
    """The names of a service's spans, each with its kind."""
    table = engine.query(
        f"SELECT DISTINCT toString(name) AS name, kind FROM spans WHERE identity IN {{ids:Array(UInt64)}} "
        f"ORDER BY name, kind LIMIT {MOST}",
        {"ids": identities(engine, equals(service_name=service), None, "traces")},
    )
    return [(row["name"], row["kind"]) for row in table.to_pylist()]
