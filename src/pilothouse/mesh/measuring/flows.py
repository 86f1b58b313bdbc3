"""Who calls which Service, as the callers' proxies counted it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.mesh.measuring.asking import Ask
from pilothouse.mesh.measuring.dialects import Dialect, Place, speaking
from pilothouse.mesh.measuring.querying import counts, latencies, matcher
from pilothouse.mesh.model import Name

NOBODY = Name("", "")
_CALLERS = ("deployments", "services", "serviceaccounts", "pods")


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests from a workload to a Service in some seconds; `root` is the Service that was addressed, where the mesh
    says it. `latency` has milliseconds by quantile; it is empty where no durations are kept.
    """

    mesh: str
    client: Name
    server: Name
    root: Name
    succeeded: int
    failed: int
    latency: dict[float, float] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """All of them."""
        return self.succeeded + self.failed


def flows(
    ask: Ask, seconds: int, mesh: str = "", servers: Iterable[Name] = (), with_latency: bool = True
) -> list[Flow]:
    """All flows of the last `seconds`, most requests first; only to `servers`, where some are named."""
    found: list[Flow] = []
    wanted = set(servers)
    heard: set[str] = set()
    for dialect in speaking(mesh):
        # A mesh that tells more than one way is heard once: in its first, which says the most.
        if dialect.side != "client" or "services" not in dialect.server or dialect.mesh in heard:
            continue
        made = _flows(ask, dialect, seconds, wanted, with_latency)
        if made and dialect.mesh != "linkerd":
            heard.add(dialect.mesh)
        found += [flow for flow in made if dialect.requests != "response_total" or not _told(found, "linkerd")]
    return sorted(found, key=lambda flow: (-flow.requests, flow.client, flow.server))


def _told(found: list[Flow], mesh: str) -> bool:
    return any(flow.mesh == mesh for flow in found)


def _flows(ask: Ask, dialect: Dialect, seconds: int, servers: set[Name], with_latency: bool) -> list[Flow]:
    caller = next(dialect.client[kind] for kind in _CALLERS if kind in dialect.client)
    server = dialect.server["services"]
    places: list[Place] = [caller, server, *([dialect.root] if dialect.root else [])]
    narrowed = matcher(server, servers) if servers else ""
    counted = counts(ask, dialect, places, seconds, narrowed)
    took = latencies(ask, dialect, places, seconds, narrowed) if counted and with_latency else {}
    made = []
    for key, each in counted.items():
        client, to = key[0], key[1]
        if servers and not any(same(to, name) for name in servers):
            continue
        root = key[2] if len(key) > 2 else NOBODY
        flow = Flow(dialect.mesh, client, to, root, round(each.succeeded), round(each.failed), took.get(key, {}))
        if flow.requests:
            made.append(flow)
    return made


def same(measured: Name, known: Name) -> bool:
    """Whether a measured name is a known one: a mesh without namespaces says only the name."""
    return measured.name == known.name and measured.namespace in ("", known.namespace)
