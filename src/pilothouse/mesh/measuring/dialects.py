"""The names that meshes give their metrics, and which label says what.

Sources: Istio's reference of standard metrics; Linkerd's reference of proxy metrics (outbound policy metrics, endpoint
metrics); Consul's proxy telemetry (stats tags `consul.source.*`, `consul.destination.*` on Envoy's cluster metrics);
Envoy's reference of cluster statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["client", "server"]
Place = tuple[str, str]
"""Which labels hold the namespace and the name of something; a label that starts with `=` is that text itself."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of metrics: a counter of requests and a histogram of their durations, as one side saw them.

    `places` says for each kind of resource where it stands on the client's and on the server's side. `root` is where
    the divided Service stands, for meshes that say it. A request failed when a label of `failures` matches. Dialects of
    the same `part` count different requests and add up; others tell the same once more.
    """

    mesh: str
    side: Side
    requests: str
    durations: str
    milliseconds: float
    matchers: str
    client: Mapping[str, Place]
    server: Mapping[str, Place]
    failures: Mapping[str, str]
    root: Place | None = None
    part: str = ""

    def places(self, side: Side) -> Mapping[str, Place]:
        """Where kinds of resources stand on a side."""
        return self.client if side == "client" else self.server


# What a server is to blame for, as OpenTelemetry's semantic conventions for gRPC servers have it.
_GRPC_NUMBERS = "2|4|12|13|14|15"
_GRPC_NAMES = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
_WORKLOADS = ("deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "replicationcontrollers")


def _all(namespace: str, name: str) -> dict[str, Place]:
    """Istio names workloads without saying their kind."""
    return dict.fromkeys(_WORKLOADS, (namespace, name))


def _linkerd(prefix: str) -> dict[str, Place]:
    """Linkerd has a label for each kind of workload."""
    space = f"{prefix}namespace"
    names = {"jobs": f"{prefix}k8s_job"} | {kind: prefix + kind.removesuffix("s") for kind in _WORKLOADS[:4]}
    return {
        "namespaces": (space, space),
        "pods": (space, f"{prefix}pod"),
        "serviceaccounts": (space, f"{prefix}serviceaccount"),
        "replicationcontrollers": (space, f"{prefix}replicationcontroller"),
        **{kind: (space, name) for kind, name in names.items()},
    }


_ISTIO_FAILURES = {"response_code": "5..|0", "grpc_response_status": _GRPC_NUMBERS}
_ISTIO_SERVICE: Place = ("destination_service_namespace", "destination_service_name")
_ISTIO_CLIENT = {
    "namespaces": ("source_workload_namespace", "source_workload_namespace"),
    **_all("source_workload_namespace", "source_workload"),
}
_ISTIO_SERVER = {
    "namespaces": ("destination_workload_namespace", "destination_workload_namespace"),
    "services": _ISTIO_SERVICE,
    **_all("destination_workload_namespace", "destination_workload"),
}

ISTIO_CLIENT = Dialect(
    "istio", "client", "istio_requests_total", "istio_request_duration_milliseconds", 1.0, 'reporter="source"',
    _ISTIO_CLIENT | {"pods": ("namespace", "pod")}, _ISTIO_SERVER, _ISTIO_FAILURES,
)  # fmt: skip
ISTIO_SERVER = Dialect(
    "istio", "server", "istio_requests_total", "istio_request_duration_milliseconds", 1.0, 'reporter="destination"',
    _ISTIO_CLIENT, _ISTIO_SERVER | {"pods": ("namespace", "pod")}, _ISTIO_FAILURES,
)  # fmt: skip
LINKERD_ROUTES = Dialect(
    "linkerd", "client", "outbound_http_route_backend_response_statuses_total",
    "outbound_http_route_backend_response_duration_seconds", 1000.0, 'parent_kind="Service"',
    _linkerd(""), {"services": ("backend_namespace", "backend_name"),
                   "namespaces": ("backend_namespace", "backend_namespace")},
    {"http_status": "5..", "error": ".+"}, root=("parent_namespace", "parent_name"), part="routes",
)  # fmt: skip
LINKERD_GRPC = Dialect(
    "linkerd", "client", "outbound_grpc_route_backend_response_statuses_total",
    "outbound_grpc_route_backend_response_duration_seconds", 1000.0, 'parent_kind="Service"',
    _linkerd(""), LINKERD_ROUTES.server, {"grpc_status": _GRPC_NAMES, "error": ".+"},
    root=("parent_namespace", "parent_name"), part="routes",
)  # fmt: skip
LINKERD_PODS = Dialect(
    "linkerd", "client", "response_total", "response_latency_ms", 1.0, 'direction="outbound",dst_namespace!=""',
    _linkerd(""), _linkerd("dst_") | {"services": ("dst_namespace", "dst_service")}, {"classification": "failure"},
)  # fmt: skip
LINKERD_SERVER = Dialect(
    "linkerd", "server", "response_total", "response_latency_ms", 1.0, 'direction="inbound",srv_name!~"linkerd-.*"',
    {}, _linkerd(""), {"classification": "failure"},
)  # fmt: skip
CONSUL = Dialect(
    "consul", "client", "envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_time", 1.0,
    'consul_destination_service!="",consul_source_service!=""',
    {"services": ("namespace", "consul_source_service"), "namespaces": ("namespace", "namespace"),
     "pods": ("namespace", "pod"), **_all("namespace", "consul_source_service")},
    {"services": ("", "consul_destination_service"), **_all("", "consul_destination_service")},
    {"envoy_response_code": "5.."},
)  # fmt: skip
ENVOY = Dialect(
    "envoy", "client", "envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_time", 1.0,
    'envoy_cluster_name=~".+/.+",consul_destination_service=""',
    {"services": ("", "pilothouse_proxy"), "serviceaccounts": ("", "pilothouse_account"),
     **_all("", "pilothouse_proxy")},
    {"services": ("", "envoy_cluster_name"), **_all("", "envoy_cluster_name")},
    {"envoy_response_code": "5.."},
)  # fmt: skip

DIALECTS = (
    ISTIO_CLIENT, ISTIO_SERVER, LINKERD_ROUTES, LINKERD_GRPC, LINKERD_PODS, LINKERD_SERVER, CONSUL, ENVOY
)  # fmt: skip
MESHES = tuple(dict.fromkeys(dialect.mesh for dialect in DIALECTS))


def speaking(mesh: str) -> tuple[Dialect, ...]:
    """The dialects of a mesh; all when none is named, or one that has no metrics of its own (the Gateway API)."""
    found = tuple(dialect for dialect in DIALECTS if dialect.mesh == mesh)
    return found or DIALECTS
