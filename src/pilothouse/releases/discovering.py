"""Releases are found, not declared: from the version on the resources of all four signals, and from marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pilothouse.releases.identifying import VERSION_SQL
from pilothouse.releases.mark import Mark
from pilothouse.releases.release import Release
from pilothouse.signals.identity import INSTANCE, SERVICE
from pilothouse.signals.timerange import TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine

SIGNALS = ("logs", "metrics", "traces", "profiles")
_MILLISECOND = 1_000_000
_SLACK = 120_000
_MOST = 10_000

# An instance is what calls itself one, else the pod, else a distinct set of attributes.
INSTANCE_SQL = (
    f"multiIf(attributes['{INSTANCE}'] != '', attributes['{INSTANCE}'], "
    "attributes['k8s.pod.name'] != '', attributes['k8s.pod.name'], toString(identity))"
)

_SEEN = f"""
SELECT service, version, uniqExact(instance) AS instances, groupUniqArray(signal) AS signals,
       toUnixTimestamp64Milli(min(first)) AS first, toUnixTimestamp64Milli(max(last)) AS last
FROM (
    SELECT attributes['{SERVICE}'] AS service, {VERSION_SQL} AS version, {INSTANCE_SQL} AS instance, signal,
           first, last
    FROM (
        SELECT identity, signal, any(attributes) AS attributes, min(first_seen) AS first, max(last_seen) AS last
        FROM resources GROUP BY identity, signal
    )
)
WHERE service != '' AND ({{service:String}} = '' OR service = {{service:String}})
GROUP BY service, version
ORDER BY first DESC, service, version LIMIT {_MOST}"""


def releases(
    engine: Engine, service: str = "", within: TimeRange | None = None, marks: Sequence[Mark] = ()
) -> list[Release]:
    """All releases, newest first; of one service, or seen within a time range, if given.

    A service whose version nobody knows has none here: it is listed by `services`. `marks` (newest first) are put to
    the releases that they name; one that no telemetry has spoken for yet is a release without signals.
    """
    found = _marked([one for one in _seen(engine, service) if one.version], marks)
    named = _with_previous(found)
    return [one for one in named if within is None or _within(one, within)]


def _marked(found: list[Release], marks: Sequence[Mark]) -> list[Release]:
    said: dict[tuple[str, str], Mark] = {}
    for mark in marks:
        if mark.kind == "release":
            said.setdefault((mark.service, mark.version), mark)
    known = [replace(one, mark=said.pop((one.service, one.version), None)) for one in found]
    unseen = [Release(one.service, one.version, one.at, one.at, 0, (), mark=one) for one in said.values()]
    return sorted(known + unseen, key=lambda one: (-one.first_seen, one.service, one.version))


def services(engine: Engine, within: TimeRange | None = None) -> list[dict[str, Any]]:
    """Each service with its versions (newest first), as `/api/services` answers them."""
    grouped: dict[str, list[Release]] = defaultdict(list)
    for one in _seen(engine, ""):
        if within is None or _within(one, within):
            grouped[one.service].append(one)
    return [_service(name, grouped[name]) for name in sorted(grouped)]


def _service(name: str, versions: list[Release]) -> dict[str, Any]:
    said = [one.to_json() for one in versions]
    for one in said:
        del one["service"], one["previous"], one["mark"]
    return {
        "name": name,
        "first_seen": min(one["first_seen"] for one in said),
        "last_seen": max(one["last_seen"] for one in said),
        "signals": _ordered({signal for one in versions for signal in one.signals}),
        "versions": said,
    }


def _seen(engine: Engine, service: str) -> list[Release]:
    return [
        Release(
            row["service"],
            row["version"],
            row["first"] * _MILLISECOND,
            row["last"] * _MILLISECOND,
            row["instances"],
            tuple(_ordered(set(row["signals"]))),
        )
        for row in engine.query(_SEEN, {"service": service}).to_pylist()
    ]


def _with_previous(newest_first: list[Release]) -> list[Release]:
    before: dict[str, str] = {}
    named = []
    for one in reversed(newest_first):
        named.append(replace(one, previous=before.get(one.service, "")))
        before[one.service] = one.version
    return named[::-1]


def _within(one: Release, within: TimeRange) -> bool:
    # When a resource was last seen is noted at most once a minute.
    slack = _SLACK * _MILLISECOND
    return one.first_seen <= within.end and one.last_seen + slack >= within.start


def _ordered(signals: set[str]) -> list[str]:
    return [signal for signal in SIGNALS if signal in signals]
