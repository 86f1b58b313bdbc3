"""What changed around: other releases up- and downstream, marks, events of Kubernetes, instances that came and went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pilothouse.releases.discovering import releases
from pilothouse.releases.reading import BUDGET
from pilothouse.releases.speaking import instance_of
from pilothouse.releases.stories.story import Change, Relation
from pilothouse.signals.identity import SERVICE
from pilothouse.signals.selecting import resources
from pilothouse.signals.selector import Matcher, Selector
from pilothouse.signals.sentences import Sentence, sentence
from pilothouse.signals.timerange import NANOSECONDS, TimeRange

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.mark import Mark
    from pilothouse.releases.release import Release

# A cause comes before what it causes: so much before the range is looked at too.
BEFORE = 600 * NANOSECONDS
_MOST = 50
_MOST_EVENTS = 200

# The collector's k8s_events receiver says which object an event is about in the resource, why in the attributes.
_EVENTS = """SELECT toUnixTimestamp64Nano(max(time)) AS at, count() AS n, identity,
    attributes['k8s.event.reason'] AS reason, any(left(body, 300)) AS message, max(severity_number) AS severity
FROM logs WHERE identity IN {identities:Array(UInt64)}
  AND time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC') AND time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')
GROUP BY identity, reason ORDER BY severity DESC, at DESC LIMIT 200"""


def changes(engine: Engine, service: str, marks: Sequence[Mark], within: TimeRange) -> list[Change]:
    """Everything that changed within a range or shortly before, the latest first, the nearest services only."""
    wide = TimeRange(max(within.start - BEFORE, 0), within.end)
    near = neighbourhood(engine, service, within)
    found = [
        *_releases(engine, near, marks, wide),
        *_events(engine, near, wide),
        *_instances(engine, service, wide),
    ]
    order = {"itself": 0, "downstream": 1, "upstream": 2, "cluster": 3}
    found.sort(key=lambda one: (order[one.relation], -one.at))
    return found[:_MOST]


def neighbourhood(engine: Engine, service: str, within: TimeRange) -> dict[str, Relation]:
    """The service, whom it calls (downstream) and who calls it (upstream)."""
    from pilothouse.signals.traces.graph import service_graph

    near: dict[str, Relation] = {}
    for edge in service_graph(engine, within, BUDGET):
        if edge.client == service:
            near.setdefault(edge.server, "downstream")
        elif edge.server == service:
            near.setdefault(edge.client, "upstream")
    return near | {service: "itself"}


def _releases(engine: Engine, near: dict[str, Relation], marks: Sequence[Mark], wide: TimeRange) -> list[Change]:
    found = [
        Change(
            one.first_seen, "release", one.service, near[one.service],
            _first_seen(one),
        )
        for one in releases(engine)
        if one.service in near and wide.start <= one.first_seen < wide.end
    ]  # fmt: skip
    seen = {(one.service, one.words.split(" was ")[0]) for one in found}
    for mark in marks:
        known = (mark.service, f"{mark.service} {mark.version}") in seen
        if mark.service in near and wide.start <= mark.at < wide.end and not (known and mark.kind == "release"):
            kind = "release" if mark.kind == "release" else "config"
            words = _marked(mark)
            found.append(Change(mark.at, kind, mark.service, near[mark.service], words))  # type: ignore[arg-type]
    return found


def _first_seen(one: Release) -> Sentence:
    said = {"service": one.service, "version": one.version}
    if one.previous:
        return sentence("{service} {version} was first seen, after {previous}", previous=one.previous, **said)
    return sentence("{service} {version} was first seen", **said)


def _marked(mark: Mark) -> Sentence:
    said = {"service": mark.service, "version": mark.version}
    words = (
        sentence("{service} {version} was released", **said)
        if mark.kind == "release"
        else sentence("{service} {version} was configured anew", **said)
    )
    return sentence("{said}: {detail}", said=words, detail=mark.note) if mark.note else words


def _events(engine: Engine, near: dict[str, Relation], wide: TimeRange) -> list[Change]:
    about = {
        one.identity: one for one in resources(engine, Selector((Matcher("k8s.object.kind", "!=", ""),)), wide, "logs")
    }
    if not about:
        return []
    parameters: dict[str, Any] = {"identities": list(about), "start": wide.start, "end": wide.end}
    found = []
    for row in engine.query(_EVENTS, parameters, BUDGET).to_pylist()[:_MOST_EVENTS]:
        attributes = about[row["identity"]].attributes
        kind, name = attributes["k8s.object.kind"], attributes.get("k8s.object.name", "")
        owner = next((one for one in near if name == one or name.startswith(f"{one}-")), "")
        # What is not about a neighbour counts when it is about the machines that all run on.
        if not owner and kind != "Node":
            continue
        often = f" ({row['n']} times)" if row["n"] > 1 else ""
        words = f"{kind} {name}: {row['reason']}{often}: {row['message']}"
        found.append(Change(row["at"], "event", owner, near.get(owner, "cluster"), words))
    return found


def _instances(engine: Engine, service: str, wide: TimeRange) -> list[Change]:
    """Instances of the service that began within the range, by their first sign of life."""
    born: dict[str, int] = {}
    for one in resources(engine, Selector((Matcher(SERVICE, "=", service),))):
        name = instance_of(one)
        if name != str(one.identity):
            born[name] = min(born.get(name, one.first_seen), one.first_seen)
    return [
        Change(at, "instances", service, "itself", sentence("instance {name} began", name=name))
        for name, at in born.items()
        if wide.start <= at < wide.end
    ][:20]
