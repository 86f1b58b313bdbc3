"""The Service Mesh Interface's nouns, in one form for all served versions: that of the newest.

Older versions are read into it (`reading`) and written from it (`converting`). Fields have the names of the
specification (servicemeshinterface/smi-spec); where it is silent, `docs/explanation/smi-ambiguities.md` has the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
RouteKind = Literal["HTTPRouteGroup", "TCPRoute", "UDPRoute"]
IdentityKind = Literal["ServiceAccount", "IdentityBinding"]


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A namespaced name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def spiffe_id(account: Name, trust_domain: str) -> str:
    """The SPIFFE ID that meshes give a ServiceAccount."""
    return f"spiffe://{trust_domain}/ns/{account.namespace}/sa/{account.name}"


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """Requests by path, method and headers; what is empty matches everything.

    `path_regex` is RE2, anchored at the start of the path only; `methods` empty means any; each of `headers` (lower
    case name, RE2 for the whole value) must match, and an absent header never does.
    """

    name: str
    path_regex: str = ""
    methods: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HTTPRouteGroup:
    """Named HTTP matches."""

    id: Name
    matches: tuple[HttpMatch, ...]


@dataclass(frozen=True, slots=True)
class PortRoute:
    """A TCPRoute or UDPRoute: ports of pods; none means all."""

    id: Name
    kind: Literal["TCPRoute", "UDPRoute"]
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentityBinding:
    """An identity by its schemes; any of them makes it up."""

    id: Name
    pod_labels: tuple[tuple[str, str], ...] = ()
    spiffe_identities: tuple[str, ...] = ()
    service_account: str = ""


@dataclass(frozen=True, slots=True)
class IdentityRef:
    """A source or the destination of a TrafficTarget."""

    kind: IdentityKind
    id: Name


@dataclass(frozen=True, slots=True)
class Rule:
    """Traffic of one route; `matches` names some of a group's, empty means all."""

    kind: RouteKind
    name: str
    matches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrafficTarget:
    """Who may call whom, with what. Allow only: what no target allows is denied."""

    id: Name
    destination: IdentityRef
    sources: tuple[IdentityRef, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service in the split's namespace and its part of the traffic, relative to the others'."""

    service: str
    weight: int


@dataclass(frozen=True, slots=True)
class TrafficSplit:
    """How requests to `service` are divided; with `matches` (HTTPRouteGroup names) only those that match."""

    id: Name
    service: str
    backends: tuple[Backend, ...]
    matches: tuple[str, ...] = ()
    created: str = ""

    @property
    def root(self) -> Name:
        """The Service that clients address."""
        return Name(self.id.namespace, self.service)


Resource = TrafficTarget | IdentityBinding | HTTPRouteGroup | PortRoute | TrafficSplit


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service: its number, where it leads in pods, and what is spoken there (`http`, `tcp`, `udp`)."""

    port: int
    target_port: int
    protocol: str = "http"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What a compiler has to know of a Kubernetes Service."""

    id: Name
    ports: tuple[ServicePort, ...] = ()
    selector: tuple[tuple[str, str], ...] = ()
    accounts: tuple[str, ...] = ()
    headless: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of one template: their labels and ServiceAccount."""

    id: Name
    labels: tuple[tuple[str, str], ...]
    account: str


@dataclass(slots=True)
class Configuration:
    """Everything that was read: the interface's resources by kind and name, and the Services and pods around them."""

    groups: dict[Name, HTTPRouteGroup] = field(default_factory=dict)
    tcp_routes: dict[Name, PortRoute] = field(default_factory=dict)
    udp_routes: dict[Name, PortRoute] = field(default_factory=dict)
    bindings: dict[Name, IdentityBinding] = field(default_factory=dict)
    targets: dict[Name, TrafficTarget] = field(default_factory=dict)
    splits: dict[Name, TrafficSplit] = field(default_factory=dict)
    services: dict[Name, Service] = field(default_factory=dict)
    workloads: dict[Name, Workload] = field(default_factory=dict)

    def add(self, resource: Resource) -> None:
        """Put a resource where it belongs; the last of a name wins, as in a cluster."""
        match resource:
            case HTTPRouteGroup():
                self.groups[resource.id] = resource
            case PortRoute(kind="TCPRoute"):
                self.tcp_routes[resource.id] = resource
            case PortRoute():
                self.udp_routes[resource.id] = resource
            case IdentityBinding():
                self.bindings[resource.id] = resource
            case TrafficTarget():
                self.targets[resource.id] = resource
            case TrafficSplit():
                self.splits[resource.id] = resource
