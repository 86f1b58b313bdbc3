"""From a selector to the identities that it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.timerange import TimeRange, to_rfc3339

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.signals.selector import Selector

MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Resource:
    """An identity with its attributes, and when (nanoseconds) the signals asked for spoke for it."""

    identity: int
    attributes: dict[str, str]
    first_seen: int
    last_seen: int


def resources(engine: Engine, selector: Selector, within: TimeRange | None = None, signal: str = "") -> list[Resource]:
    """The resources that a selector means, of one signal or all, seen within a time range if one is given.

    What was seen is noted at most once a minute for a resource that speaks all the time: the range is widened by
    two minutes so that nobody is missed.
    """
    condition, parameters = selector.condition("attributes")
    where = f"WHERE signal = '{signal}'" if signal else ""
    seen = ""
    if within:
        slack = 120_000_000_000
        seen = f" AND last >= {(within.start - slack) // MILLISECOND} AND first <= {within.end // MILLISECOND}"
    table = engine.query(
        f"SELECT identity, any(attributes) AS attributes, toUnixTimestamp64Milli(min(first_seen)) AS first, "
        f"toUnixTimestamp64Milli(max(last_seen)) AS last FROM resources {where} GROUP BY identity "
        f"HAVING {condition}{seen} ORDER BY identity",
        parameters,
    )
    return [
        Resource(row["identity"], dict(row["attributes"]), row["first"] * MILLISECOND, row["last"] * MILLISECOND)
        for row in table.to_pylist()
    ]


def identities(engine: Engine, selector: Selector, within: TimeRange | None = None, signal: str = "") -> list[int]:
    """Just the identities, to bind as `{identities:Array(UInt64)}`."""
    return [resource.identity for resource in resources(engine, selector, within, signal)]


def described(resource: Resource) -> dict[str, object]:
    """A resource as the API answers it."""
    return {
        "identity": f"{resource.identity:016x}",
        "attributes": resource.attributes,
        "first_seen": to_rfc3339(resource.first_seen),
        "last_seen": to_rfc3339(resource.last_seen),
    }
