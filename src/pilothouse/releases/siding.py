"""Setting up a trial: who speaks for each version, when, in which windows, and with how much traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.discovering import releases, services
from pilothouse.releases.reading import BUDGET, NANOSECONDS_SQL, bound, column, sums, window_sql, within_sql
from pilothouse.releases.rules import Rules
from pilothouse.releases.trial import Kind, Side, Trial
from pilothouse.releases.window import Windows, cut
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.identity import INSTANCE
from pilothouse.signals.selecting import Resource, identities, resources
from pilothouse.signals.selector import Matcher, Selector
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats

# A process that has just begun warms up: caches, pools, compilers.
_WARM_UP_SHARE = 0.1
_WARM_UP_LONGEST = 60 * NANOSECONDS
# An instance that is being stopped serves a last few requests; it is not one of those compared.
_LEFTOVERS = 0.1
# A resource that speaks all the time is noted once a minute.
_NOTED = 120 * NANOSECONDS
_CANARY_SHORTEST = 10 * NANOSECONDS
_CANARY_SHARE = 0.5

# What counts as activity, the best first: served requests, root spans, anything else.
ENTRY_SQL = "kind IN (2, 5)"
_SERIES = "series IN (SELECT series FROM series WHERE identity IN {identities:Array(UInt64)})"
_ACTIVITY = (
    ("spans", 9, f"identity IN {{identities:Array(UInt64)}} AND {ENTRY_SQL}"),
    ("spans", 9, "identity IN {identities:Array(UInt64)}"),
    ("samples", 3, _SERIES),
    ("distributions", 3, _SERIES),
    ("logs", 9, "identity IN {identities:Array(UInt64)}"),
    ("profiles", 3, "identity IN {identities:Array(UInt64)}"),
)


@dataclass(frozen=True, slots=True)
class _Active:
    """When a version was active within the range, and how many requests it served."""

    range: TimeRange | None
    requests: int


def stage(
    engine: Engine,
    service: str,
    versions: Both[str],
    within: TimeRange,
    where: Selector | None = None,
    rules: Rules | None = None,
) -> tuple[Trial, list[str]]:
    """The trial, and in words what of it is missing (nothing when it can be judged).

    `where` narrows both sides (a region, some pods). Raises `NotFoundError` when the service or a version is unknown.
    """
    chosen = rules or Rules()
    found = versions.map(lambda version: _resources(engine, service, version, where or Selector()))
    ranges = Both(_back_to_life(found.baseline, within), within)
    table = next((one for one in _ACTIVITY if _asked(engine, found.candidate, within, one).range), _ACTIVITY[0])
    active = Both(
        _asked(engine, found.baseline, ranges.baseline, table), _asked(engine, found.candidate, within, table)
    )
    missing = [
        f"{version} sent nothing between the start and the end of the range; choose a range in which it ran"
        for version, one in zip(versions, active, strict=True)
        if one.range is None
    ]
    kind, windows = _windows(active, found, within, chosen)
    sides = Both(
        _side(engine, service, versions.baseline, found.baseline, windows.baseline),
        _side(engine, service, versions.candidate, found.candidate, windows.candidate),
    )
    return Trial(service, kind, sides, chosen), missing


def known_service(engine: Engine, service: str) -> None:
    """Raises `NotFoundError` with the services that are known when this one is not."""
    names = [one["name"] for one in services(engine)]
    if service not in names:
        known = f"known are {', '.join(names[:20])}" if names else "nothing has sent telemetry yet"
        raise NotFoundError(f"no service is called {service!r}; {known}")


def _resources(engine: Engine, service: str, version: str, where: Selector) -> list[Resource]:
    if found := resources(engine, Selector((*_own(service, version).matchers, *where.matchers))):
        return found
    known_service(engine, service)
    names = [one.version for one in releases(engine, service)]
    if version in names:
        raise NotFoundError(f"{service} {version} has nothing that matches the selector")
    known = f"known are {', '.join(names[:20])}" if names else "it sends no service.version"
    raise NotFoundError(f"{service} has no version {version!r}; {known}")


def _own(service: str, version: str) -> Selector:
    return Selector((Matcher("service.name", "=", service), Matcher("service.version", "=", version)))


def _back_to_life(found: list[Resource], within: TimeRange) -> TimeRange:
    """The range to look for a baseline in: where the candidate is, or before, when it had ended by then."""
    last = max(one.last_seen for one in found)
    if last >= within.start:
        return within
    return TimeRange(last - (within.end - within.start), last + 1)


def _asked(engine: Engine, found: list[Resource], within: TimeRange, table: tuple[str, int, str]) -> _Active:
    name, scale, condition = table
    instant = "toUnixTimestamp64Nano(time)" if scale == 9 else "toUnixTimestamp64Milli(time) * 1000000"
    row = engine.query(
        f"SELECT count() AS n, min({instant}) AS first, max({instant}) AS last FROM {name} "
        f"WHERE {condition} AND {within_sql(scale)}",
        {"identities": [one.identity for one in found], "start": within.start, "end": within.end},
        BUDGET,
    ).to_pylist()[0]
    return _Active(TimeRange(row["first"], row["last"] + 1) if row["n"] else None, row["n"])


def _windows(
    active: Both[_Active], found: Both[list[Resource]], within: TimeRange, rules: Rules
) -> tuple[Kind, Both[Windows]]:
    base, other = (one.range or within for one in active)
    start, end = max(base.start, other.start), min(base.end, other.end)
    shorter = min(base.end - base.start, other.end - other.start)
    canary = end - start >= max(_CANARY_SHORTEST, _CANARY_SHARE * shorter)
    if canary:
        both = TimeRange(start, end)
        steady = TimeRange(max(_steady(both, one).start for one in found), end)
        windows = cut(steady, _count(active, steady, rules))
        return "canary", Both(windows, windows)
    ranges = Both(_steady(base, found.baseline), _steady(other, found.candidate))
    return "before_after", ranges.map(lambda one: cut(one, _count(active, one, rules)))


def _steady(active: TimeRange, found: list[Resource]) -> TimeRange:
    """Without the warm-up, when the youngest process was born shortly before or after the beginning."""
    born = max(one.first_seen for one in found)
    if born < active.start - _WARM_UP_LONGEST:
        return active
    warm = int(min((active.end - active.start) * _WARM_UP_SHARE, _WARM_UP_LONGEST))
    return TimeRange(active.start + warm, active.end)


def _count(active: Both[_Active], within: TimeRange, rules: Rules) -> int:
    """As many windows as leave enough requests in each, none shorter than a second."""
    requests = min(one.requests for one in active)
    wanted = min(max(requests // rules.requests_per_window, rules.least_windows), rules.most_windows)
    return max(min(wanted, int(within.seconds)), 1)


def _side(engine: Engine, service: str, version: str, found: list[Resource], windows: Windows) -> Side:
    everyone = Side(
        version,
        windows,
        {one.identity: one.first_seen for one in found},
        {one.identity: _instance(one) for one in found},
        np.zeros(windows.count),
    )
    served = _requests(engine, everyone)
    tracing = set(identities(engine, _own(service, version), signal="traces"))
    kept, instances = _present(found, served, tracing, windows)
    return replace(
        everyone,
        born={one.identity: one.first_seen for one in kept},
        instances=instances,
        requests=sum((served.get(one.identity, everyone.requests) for one in kept), everyone.requests),
    )


def _present(
    found: list[Resource], served: dict[int, Floats], tracing: set[int], windows: Windows
) -> tuple[list[Resource], dict[int, str]]:
    """Who took part, and the instances that count: those that served more than a few leftovers.

    Some signals speak without naming their instance (a profiler's labels): what never sends spans stays in as long
    as it said anything at the time, and is no instance of its own.
    """
    alive = [one for one in found if one.last_seen + _NOTED >= windows.start and one.first_seen <= windows.end]
    if not served:
        kept = alive or found
        return kept, {one.identity: _instance(one) for one in kept}
    counts = {identity: float(requests.sum()) for identity, requests in served.items()}
    enough = _LEFTOVERS * max(counts.values())
    busy = {_instance(one) for one in found if counts.get(one.identity, 0.0) >= enough}
    traced = {_instance(one) for one in found if one.identity in tracing}
    kept = [one for one in alive if _instance(one) in busy or _instance(one) not in traced]
    return kept, {one.identity: _instance(one) for one in kept if _instance(one) in busy}


def _instance(resource: Resource) -> str:
    attributes = resource.attributes
    return attributes.get(INSTANCE) or attributes.get("k8s.pod.name") or str(resource.identity)


def _requests(engine: Engine, side: Side) -> dict[int, Floats]:
    """Requests that each identity served in each window."""
    table = engine.query(
        f"SELECT identity, {window_sql(NANOSECONDS_SQL)} AS w, count() AS n FROM spans "
        f"WHERE identity IN {{identities:Array(UInt64)}} AND {within_sql(9)} AND {ENTRY_SQL} GROUP BY identity, w",
        bound(side),
        BUDGET,
    )
    identities, rows = np.unique(column(table, "identity"), return_inverse=True)
    counts = sums((len(identities), side.windows.count), (rows, column(table, "w")), column(table, "n"))
    return dict(zip(identities.tolist(), counts, strict=True))
