"""The service graph: who calls whom, how often, with how many errors, how long it takes; found at query time.

A call is a client (or producer) span and the server (or consumer) span under it. A client span under which nobody
answers is a call to a peer that sends no spans: a database, a queue, somebody else's service, named by its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.signals.traces.compiling.sources import AROUND, IN_RANGE

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine
    from pilothouse.signals.timerange import TimeRange

_PEER = ("peer.service", "db.system.name", "db.system", "messaging.system", "server.address", "net.peer.name")
_NAMES = (
    "(SELECT identity, any(attributes)['service.name'] AS service FROM resources "
    "WHERE signal = 'traces' GROUP BY identity)"
)
_KINDS = "multiIf({db}, 'database', {queue}, 'messaging', 'service')"


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from `client` to `server` in a range; `kind` is service, database or messaging; durations in milliseconds
    as the caller saw them.
    """

    client: str
    server: str
    kind: str
    calls: int
    errors: int
    rate: float
    p50: float
    p95: float
    p99: float


def service_graph(engine: Engine, within: TimeRange, budget: Budget | None = None) -> list[Edge]:
    """All edges, most calls first."""
    peer = "coalesce(" + ", ".join(f"nullIf(attributes['{name}'], '')" for name in _PEER) + ", '')"
    has_db = "mapContains(attributes, 'db.system') OR mapContains(attributes, 'db.system.name')"
    kind = _KINDS.format(db=has_db, queue="mapContains(attributes, 'messaging.system') OR kind = 4")
    table = engine.query(
        f"""SELECT client, if(answered != '', answered, peer) AS server, any(call_kind) AS what, count() AS calls,
                   countIf(failed) AS errors, quantiles(0.5, 0.95, 0.99)(duration / 1e6) AS took
            FROM (
                SELECT cn.service AS client, sn.service AS answered, c.peer AS peer, c.call_kind AS call_kind,
                       c.failed OR s.failed AS failed, c.duration AS duration
                FROM (SELECT trace_id, span_id, identity, duration, status_code = 2 AS failed, {peer} AS peer,
                             {kind} AS call_kind
                      FROM spans WHERE {IN_RANGE} AND kind IN (3, 4)
                      LIMIT 1 BY trace_id, span_id, identity) AS c
                LEFT JOIN (SELECT trace_id, parent_span_id AS span_id, identity AS server_identity,
                                  status_code = 2 AS failed
                           FROM spans WHERE {AROUND} AND kind IN (2, 5)
                           LIMIT 1 BY trace_id, parent_span_id, spans.span_id, identity) AS s USING (trace_id, span_id)
                ANY LEFT JOIN {_NAMES} AS cn ON cn.identity = c.identity
                ANY LEFT JOIN {_NAMES} AS sn ON sn.identity = s.server_identity)
            WHERE client != '' AND server != '' GROUP BY client, server
            ORDER BY calls DESC, client, server LIMIT 10000""",
        {"start": within.start, "end": within.end},
        budget,
    )
    return [
        Edge(
            row["client"], row["server"], row["what"], row["calls"], row["errors"],
            row["calls"] / max(within.seconds, 1e-9), *row["took"],
        )
        for row in table.to_pylist()
    ]  # fmt: skip
