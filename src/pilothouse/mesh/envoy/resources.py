"""What each proxy gets: listeners, routes and clusters, as the JSON form of Envoy's API (version 3).

Paths are normalised on every listener before they are compared, also slashes that are doubled or escaped: without it
`/api/../metrics` would be let in by a rule for `/api`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pilothouse.mesh.compiling.compiled import Compiled
from pilothouse.mesh.compiling.routing import Branch, PortRouting, port_routings
from pilothouse.mesh.envoy.local import Address, Inbound, LocalMesh, LocalProxy, LocalService, kube_services
from pilothouse.mesh.envoy.policies import http_policies, tcp_policies
from pilothouse.mesh.envoy.tls import client_tls, server_tls
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration, HttpMatch, Name, spiffe_id
from pilothouse.mesh.regexes import whole_path

_TYPE = "type.googleapis.com/envoy"
CLUSTER = f"{_TYPE}.config.cluster.v3.Cluster"
LISTENER = f"{_TYPE}.config.listener.v3.Listener"
ROUTES = f"{_TYPE}.config.route.v3.RouteConfiguration"
# Envoy adds weights up in 32 bits.
_LARGEST_SUM = 2**32 - 1
_MANAGER = "envoy.filters.network.http_connection_manager"
_GUARD = "envoy.filters.http.rbac"
_RBAC = f"{_TYPE}.extensions.filters.http.rbac.v3.RBAC"
_HTTP_OPTIONS = f"{_TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one proxy is to have, by type and name, and what is to be said about how it was made."""

    resources: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What all proxies' resources are made from: the configuration with this machine's services, its splits by port."""

    configuration: Configuration
    routings: dict[tuple[Name, int], PortRouting]
    findings: tuple[Finding, ...]


def prepare(configuration: Configuration, mesh: LocalMesh) -> Prepared:
    """Once for all proxies."""
    compiled = Compiled()
    # The services of this machine in place of Kubernetes'.
    with_services = replace(configuration, services=kube_services(mesh))
    routings = {(r.root.id, r.port.port): r for r in port_routings(with_services, compiled)}
    return Prepared(with_services, routings, tuple(compiled.findings))


def snapshot(prepared: Prepared, mesh: LocalMesh, proxy: LocalProxy, certificates: Path) -> Snapshot:
    """The resources of one proxy; `certificates` is the directory that holds its identity."""
    compiled = Compiled()
    made = _Made(mesh, proxy, certificates)
    for service, listen in proxy.outbound:
        made.outbound(mesh.services[service], listen, prepared.routings.get((service, mesh.services[service].port)))
    if proxy.inbound and proxy.account:
        made.inbound(proxy.inbound, prepared.configuration, proxy.account, compiled)
    resources = {CLUSTER: made.clusters, LISTENER: made.listeners, ROUTES: made.routes}
    return Snapshot(resources, (*prepared.findings, *compiled.findings))


@dataclass(slots=True)
class _Made:
    mesh: LocalMesh
    proxy: LocalProxy
    certificates: Path
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    listeners: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def outbound(self, service: LocalService, listen: Address, routing: PortRouting | None) -> None:
        """The listener at which the proxy's own application reaches a service."""
        branches = routing.branches if routing else (Branch((), ((service.id.name, 1),), ""),)
        name = f"outbound|{service.id}"
        # Also backends that get nothing now: a shift to them is then a change of routes alone.
        for division in routing.root.divisions if routing else ():
            for backend in division.split.backends:
                if Name(service.id.namespace, backend.service) in self.mesh.services:
                    self._backend(Name(service.id.namespace, backend.service))
        if service.protocol == "tcp":
            self.listeners[name] = _listener(name, listen, [self._tcp_filter(service.id, branches[-1])])
            return
        routes = [self._route(service.id, branch, match) for branch in branches for match in _matches(branch)]
        host = {"name": name, "domains": ["*"], "routes": routes}
        self.routes[name] = {"name": name, "virtual_hosts": [host], "validate_clusters": False}
        manager = _manager(name, [])
        manager["rds"] = _rds(name)
        self.listeners[name] = _listener(name, listen, [{"name": _MANAGER, "typed_config": manager}])

    def inbound(self, inbound: Inbound, configuration: Configuration, account: Name, compiled: Compiled) -> None:
        """The listener at which others reach the proxy's application, by what the targets allow."""
        name = "inbound|application"
        self.clusters[name] = _cluster(name, (inbound.application,))
        if inbound.protocol == "tcp":
            network = {"name": "envoy.filters.network.rbac", "typed_config": _rbac("network", tcp_policies(
                configuration, account, inbound.port, self.mesh.trust_domain, compiled))}  # fmt: skip
            filters = [network, _tcp_proxy(name, {"cluster": name})]
        else:
            policies = http_policies(configuration, account, inbound.port, self.mesh.trust_domain, compiled)
            filters = [self._guarded(name, policies)]
        socket = server_tls(self.certificates, self.proxy.name)
        self.listeners[name] = _listener(name, inbound.listen, filters, socket)

    def _guarded(self, name: str, policies: dict[str, Any]) -> dict[str, Any]:
        """The filter that lets requests in. The policies travel with the routes, not with the listener: connections
        keep the listener that they began with, and what was taken from a caller must not hold until it hangs up.
        """
        own = {"@type": f"{_RBAC}PerRoute", "rbac": {k: v for k, v in _rbac("http", policies).items() if k != "@type"}}
        host = {
            "name": name,
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": name}}],
            "typed_per_filter_config": {_GUARD: own},
        }
        self.routes[name] = {"name": name, "virtual_hosts": [host], "validate_clusters": False}
        manager = _manager(name, [{"name": _GUARD, "typed_config": _rbac("http", {})}])
        manager["rds"] = _rds(name)
        return {"name": _MANAGER, "typed_config": manager}

    def _route(self, root: Name, branch: Branch, match: dict[str, Any]) -> dict[str, Any]:
        if not branch.shares:
            return {"match": match, "direct_response": {"status": 503}}
        shares = _scaled(branch)
        for service, _ in shares:
            self._backend(Name(root.namespace, service))
        if len(shares) == 1:
            return {"match": match, "route": {"cluster": str(Name(root.namespace, shares[0][0]))}}
        weighted = [{"name": str(Name(root.namespace, service)), "weight": weight} for service, weight in shares]
        return {"match": match, "route": {"weighted_clusters": {"clusters": weighted}}}

    def _tcp_filter(self, root: Name, branch: Branch) -> dict[str, Any]:
        shares = _scaled(branch)
        for service, _ in shares:
            self._backend(Name(root.namespace, service))
        weighted = [{"name": str(Name(root.namespace, service)), "weight": weight} for service, weight in shares]
        return _tcp_proxy(f"outbound|{root}", {"weighted_clusters": {"clusters": weighted}})

    def _backend(self, id: Name) -> None:
        """The cluster of a service; one that is not known has no endpoints, and its share fails visibly."""
        service = self.mesh.services.get(id)
        cluster = _cluster(str(id), service.endpoints if service else ())
        if service and service.account and self.proxy.account:
            identity = spiffe_id(service.account, self.mesh.trust_domain)
            cluster["transport_socket"] = client_tls(self.certificates, self.proxy.name, identity)
        self.clusters[str(id)] = cluster


def _rds(name: str) -> dict[str, Any]:
    return {"route_config_name": name, "config_source": {"ads": {}, "resource_api_version": "V3"}}


def _matches(branch: Branch) -> list[dict[str, Any]]:
    return [found for match in branch.matches for found in _http_matches(match)] or [{"prefix": "/"}]


def _http_matches(match: HttpMatch) -> list[dict[str, Any]]:
    """One for each method."""
    common: dict[str, Any] = {"prefix": "/"}
    if match.path_regex:
        common = {"safe_regex": {"regex": whole_path(match.path_regex)}}
    headers = [{"name": name, "string_match": {"safe_regex": {"regex": pattern}}} for name, pattern in match.headers]
    if not match.methods:
        return [common | {"headers": headers} if headers else common]
    return [
        common | {"headers": [*headers, {"name": ":method", "string_match": {"exact": method}}]}
        for method in match.methods
    ]


def _scaled(branch: Branch) -> tuple[tuple[str, int], ...]:
    total = sum(weight for _, weight in branch.shares)
    if total <= _LARGEST_SUM:
        return branch.shares
    return tuple((service, max(1, weight * 1_000_000 // total)) for service, weight in branch.shares)


def _cluster(name: str, endpoints: tuple[Address, ...]) -> dict[str, Any]:
    found = [{"endpoint": {"address": _socket(endpoint)}} for endpoint in endpoints]
    return {
        "@type": CLUSTER,
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": found}] if found else []},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_OPTIONS,
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _listener(
    name: str, listen: Address, filters: list[dict[str, Any]], socket: dict[str, Any] | None = None
) -> dict[str, Any]:
    chain: dict[str, Any] = {"filters": filters}
    if socket:
        chain["transport_socket"] = socket
    return {"@type": LISTENER, "name": name, "address": _socket(listen), "filter_chains": [chain]}


def _manager(name: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{_TYPE}.extensions.filters.http.router.v3.Router"},
    }
    return {
        "@type": f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name.replace("|", "_").replace("/", "_"),
        "codec_type": "AUTO",
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "http_filters": [*filters, router],
    }


def _rbac(layer: str, policies: dict[str, Any]) -> dict[str, Any]:
    """Rules with no policies deny everything; without rules everything would pass."""
    kind = f"{_TYPE}.extensions.filters.{layer}.rbac.v3.RBAC"
    made: dict[str, Any] = {"@type": kind, "rules": {"action": "ALLOW", "policies": policies}}
    return made | {"stat_prefix": "inbound_"} if layer == "network" else made


def _tcp_proxy(name: str, to: dict[str, Any]) -> dict[str, Any]:
    kind = f"{_TYPE}.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    config = {"@type": kind, "stat_prefix": name.replace("|", "_").replace("/", "_"), **to}
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": config}


def _socket(address: Address) -> dict[str, Any]:
    return {"socket_address": {"address": address.host, "port_value": address.port}}
