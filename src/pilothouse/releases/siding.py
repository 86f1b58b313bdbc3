"""Setting up a trial: who speaks for each version, when, in which windows, and with how much traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.releases.both import Both
from pilothouse.releases.party import Party
from pilothouse.releases.reading import BUDGET, NANOSECONDS_SQL, bound, column, sums, window_sql, within_sql
from pilothouse.releases.rules import Rules
from pilothouse.releases.speaking import instance_of, speakers, tracing
from pilothouse.releases.trial import Kind, Side, Trial
from pilothouse.releases.window import Windows, cut
from pilothouse.signals.selector import Selector
from pilothouse.signals.sentences import sentence
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.statistics import Floats
    from pilothouse.signals.selecting import Resource

# A process that has just begun warms up: caches, pools, compilers.
_WARM_UP_SHARE = 0.1
_WARM_UP_LONGEST = 60 * NANOSECONDS
# An instance that is being stopped serves a last few requests; it is not one of those compared.
_LEFTOVERS = 0.1
# A resource that speaks all the time is noted once a minute.
_NOTED = 120 * NANOSECONDS
_CANARY_SHORTEST = 10 * NANOSECONDS
_CANARY_SHARE = 0.5
_DAY = 86_400 * NANOSECONDS
# A baseline that ended so shortly before saw the same time of day.
_JUST_BEFORE = _DAY // 12
_DAYS_BEFORE = (7, 14, 1, 2)
_COVERED = 0.8

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
    sides: Both[str] | Both[Party],
    within: TimeRange,
    where: Selector | None = None,
    rules: Rules | None = None,
    migration: bool = False,
) -> tuple[Trial, list[str]]:
    """The trial, and in words what of it is missing (nothing when it can be judged).

    `sides` are versions, or parties; `where` narrows both (a region, some pods). Raises `NotFoundError` when the
    service or a version is unknown.
    """
    chosen = rules or Rules()
    parties = Both(*(_party(one, where or Selector()) for one in sides))
    found = parties.map(lambda party: speakers(engine, service, party))
    after = parties.candidate.within or within
    table = next((one for one in _ACTIVITY if _asked(engine, found.candidate, after, one).range), _ACTIVITY[0])
    before, noted = _before(engine, found.baseline, parties.baseline, after, table)
    active = Both(_asked(engine, found.baseline, before, table), _asked(engine, found.candidate, after, table))
    missing: list[str] = [
        sentence(
            "{version} sent nothing between the start and the end of the range; choose a range in which it ran",
            version=party.name,
        )
        for party, one in zip(parties, active, strict=True)
        if one.range is None
    ]
    together, windows = _windows(active, found, Both(before, after), chosen)
    staged = Both(
        _side(engine, service, parties.baseline, found.baseline, windows.baseline),
        _side(engine, service, parties.candidate, found.candidate, windows.candidate),
    )
    kind = "migration" if migration else _kind(parties, together)
    return Trial(service, kind, staged, chosen, together, (noted,) if noted and not together else ()), missing


def _party(one: str | Party, where: Selector) -> Party:
    party = Party(one) if isinstance(one, str) else one
    return replace(party, where=Selector((*party.where.matchers, *where.matchers)))


def _kind(parties: Both[Party], together: bool) -> Kind:
    if not together:
        return "before_after"
    return "canary" if parties.baseline.version != parties.candidate.version else "subsets"


def _before(
    engine: Engine, found: list[Resource], party: Party, after: TimeRange, table: tuple[str, int, str]
) -> tuple[TimeRange, str]:
    """The range to look for the baseline in, and in words why, when it is another than the candidate's.

    A baseline that had ended is taken at the same time of the same weekday, or of another day, when it ran then: load
    and latency of a night are no measure for those of a noon. Otherwise, and when it ended just before, its last hours
    count.
    """
    if party.within:
        return party.within, ""
    last = max(one.last_seen for one in found)
    if last >= after.start and _asked(engine, found, after, table).range:
        return after, ""
    last = min(last, after.start)
    length = after.end - after.start
    if after.start - last > _JUST_BEFORE:
        for days in _DAYS_BEFORE:
            earlier = TimeRange(after.start - days * _DAY, after.end - days * _DAY)
            active = _asked(engine, found, earlier, table).range
            if earlier.start >= 0 and active and active.end - active.start >= _COVERED * length:
                return earlier, _days_before(party, days)
    ended = sentence("{version} is taken at the end of its life", version=party.name)
    return TimeRange(last - length, last + 1), ended


def _days_before(party: Party, days: int) -> str:
    said = {"version": party.name, "days": days}
    if days % 7 == 0:
        return sentence("{version} is taken {days} days before, on the same weekday, at the same time of day", **said)
    return sentence("{version} is taken {days} days before, at the same time of day", **said)


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
    active: Both[_Active], found: Both[list[Resource]], within: Both[TimeRange], rules: Rules
) -> tuple[bool, Both[Windows]]:
    """Whether both sides ran at the same time, and the windows of each."""
    base, other = (one.range or asked for one, asked in zip(active, within, strict=True))
    start, end = max(base.start, other.start), min(base.end, other.end)
    shorter = min(base.end - base.start, other.end - other.start)
    if end - start >= max(_CANARY_SHORTEST, _CANARY_SHARE * shorter):
        both = TimeRange(start, end)
        steady = TimeRange(max(_steady(both, one).start for one in found), end)
        windows = cut(steady, _count(active, steady, rules))
        return True, Both(windows, windows)
    ranges = Both(_steady(base, found.baseline), _steady(other, found.candidate))
    return False, ranges.map(lambda one: cut(one, _count(active, one, rules)))


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


def _side(engine: Engine, service: str, party: Party, found: list[Resource], windows: Windows) -> Side:
    everyone = Side(
        party.name,
        windows,
        {one.identity: one.first_seen for one in found},
        {one.identity: instance_of(one) for one in found},
        np.zeros(windows.count),
        party,
    )
    served = _requests(engine, everyone)
    kept, instances = _present(found, served, tracing(engine, service, party), windows)
    return replace(
        everyone,
        born={one.identity: one.first_seen for one in kept},
        instances=instances,
        requests=sum((served.get(one.identity, everyone.requests) for one in kept), everyone.requests),
    )


def side_in(engine: Engine, service: str, party: Party, windows: Windows) -> Side | None:
    """A party in other windows than those it was staged in; None when it had not run for most of them."""
    found = speakers(engine, service, party)
    begun = min(one.first_seen for one in found)
    if windows.start < 0 or begun > windows.start + (1 - _COVERED) * (windows.end - windows.start):
        return None
    return _side(engine, service, party, found, windows)


def _present(
    found: list[Resource], served: dict[int, Floats], traced_by: set[int], windows: Windows
) -> tuple[list[Resource], dict[int, str]]:
    """Who took part, and the instances that count: those that served more than a few leftovers.

    Some signals speak without naming their instance (a profiler's labels): what never sends spans stays in as long
    as it said anything at the time, and is no instance of its own.
    """
    alive = [one for one in found if one.last_seen + _NOTED >= windows.start and one.first_seen <= windows.end]
    if not served:
        kept = alive or found
        return kept, {one.identity: instance_of(one) for one in kept}
    counts = {identity: float(requests.sum()) for identity, requests in served.items()}
    enough = _LEFTOVERS * max(counts.values())
    busy = {instance_of(one) for one in found if counts.get(one.identity, 0.0) >= enough}
    traced = {instance_of(one) for one in found if one.identity in traced_by}
    kept = [one for one in alive if instance_of(one) in busy or instance_of(one) not in traced]
    return kept, {one.identity: instance_of(one) for one in kept if instance_of(one) in busy}


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
