"""Who called whom with which method on which route, as the spans of servers and of those who called them tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.timerange import TimeRange

_MOST = 20_000
_METHOD = "coalesce(nullIf(attributes['http.request.method'], ''), nullIf(attributes['http.method'], ''), '')"
# Conventions for RPC of before and after 2025: the method alone beside its service, or both in one.
_RPC = (
    "if(attributes['rpc.method'] = '', '', if(position(attributes['rpc.method'], '/') > 0, "
    "concat('/', trim(LEADING '/' FROM attributes['rpc.method'])), "
    "concat('/', attributes['rpc.service'], '/', attributes['rpc.method'])))"
)
_PATH = (
    "coalesce(nullIf(attributes['url.path'], ''), nullIf(cutQueryString(attributes['http.target']), ''), "
    "nullIf(path(attributes['http.url']), ''), '')"
)
_OWNERS = ("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.job.name")


@dataclass(frozen=True, slots=True, order=True)
class Party:
    """One side of a call, as its resource names it; namespace and workload are empty where they are not told."""

    service: str
    namespace: str = ""
    workload: str = ""


@dataclass(frozen=True, slots=True)
class ObservedCall:
    """Calls of one kind. `method` is empty for what is not HTTP; `route` is the server's template, `path` one that was
    asked for; `first` and `last` are Unix seconds.
    """

    client: Party
    server: Party
    method: str
    route: str
    path: str
    calls: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen; `strangers` are the calls to each service whose caller sent no span; `cut` when there was more."""

    calls: tuple[ObservedCall, ...]
    strangers: tuple[tuple[Party, int], ...] = ()
    cut: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "calls": [asdict(call) for call in self.calls],
            "strangers": [{"server": asdict(server), "calls": calls} for server, calls in self.strangers],
            "cut": self.cut,
        }

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Observation:
        """The same from a JSON object."""
        calls = tuple(
            ObservedCall(**{**call, "client": Party(**call["client"]), "server": Party(**call["server"])})
            for call in content["calls"]
        )
        strangers = tuple((Party(**one["server"]), int(one["calls"])) for one in content["strangers"])
        return cls(calls, strangers, bool(content["cut"]))


def observe(engine: Engine, within: TimeRange, budget: Budget | None = None) -> Observation:
    """All calls in a range that have a server span; most first."""
    from pilothouse.signals.traces.compiling.sources import AROUND, IN_RANGE

    table = engine.query(
        f"""SELECT client, server, method, route, any(asked) AS path, count() AS calls,
                   min(at) AS first, max(at) AS last
            FROM (SELECT trace_id, parent_span_id AS span_id, identity AS server,
                         toUnixTimestamp64Nano(time) / 1e9 AS at,
                         if({_RPC} != '', 'POST', {_METHOD}) AS method,
                         if({_RPC} != '', {_RPC}, attributes['http.route']) AS route,
                         if({_RPC} != '', {_RPC}, {_PATH}) AS asked
                  FROM spans WHERE {IN_RANGE} AND kind = 2
                  LIMIT 1 BY trace_id, spans.span_id, identity) AS s
            ANY LEFT JOIN (SELECT trace_id, span_id, identity AS client FROM spans WHERE {AROUND}) AS c
            USING (trace_id, span_id)
            WHERE client != server
            GROUP BY client, server, method, route, if(route = '', asked, '')
            ORDER BY calls DESC, client, server, method, route LIMIT {_MOST + 1}""",
        {"start": within.start, "end": within.end},
        budget,
    )
    parties = _parties(engine)
    calls: list[ObservedCall] = []
    strangers: dict[Party, int] = {}
    rows = table.to_pylist()
    for row in rows[:_MOST]:
        server = parties.get(row["server"], Party(""))
        client = parties.get(row["client"])
        if not server.service:
            continue
        if client is None or not client.service:
            strangers[server] = strangers.get(server, 0) + row["calls"]
        elif client != server:
            calls.append(
                ObservedCall(client, server, row["method"], row["route"], row["path"], row["calls"], row["first"],
                             row["last"])
            )  # fmt: skip
    return Observation(tuple(calls), tuple(sorted(strangers.items())), len(rows) > _MOST)


def _parties(engine: Engine) -> dict[int, Party]:
    table = engine.query(
        "SELECT identity, any(attributes) AS attributes FROM resources WHERE signal = 'traces' GROUP BY identity"
    )
    found = {}
    for row in table.to_pylist():
        told = dict(row["attributes"])
        namespace = told.get("k8s.namespace.name") or told.get("service.namespace", "")
        workload = next((told[name] for name in _OWNERS if told.get(name)), "")
        found[row["identity"]] = Party(told.get("service.name", ""), namespace, workload)
    return found
