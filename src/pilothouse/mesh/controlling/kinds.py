"""Which kinds a controller reads, and which it writes for each mesh."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind by its group."""

    group: str
    name: str


ACCESS, SPECS, SPLIT = "access.smi-spec.io", "specs.smi-spec.io", "split.smi-spec.io"
INTERFACE = (
    Kind(SPLIT, "TrafficSplit"),
    Kind(ACCESS, "TrafficTarget"),
    Kind(ACCESS, "IdentityBinding"),
    Kind(SPECS, "HTTPRouteGroup"),
    Kind(SPECS, "TCPRoute"),
    Kind(SPECS, "UDPRoute"),
)
SURROUNDINGS = (
    Kind("", "Service"),
    Kind("", "Pod"),
    Kind("apps", "Deployment"),
    Kind("apps", "StatefulSet"),
    Kind("apps", "DaemonSet"),
)
_GATEWAY = (Kind("gateway.networking.k8s.io", "HTTPRoute"), Kind("gateway.networking.k8s.io", "TCPRoute"))
WRITTEN: dict[str, tuple[Kind, ...]] = {
    "istio": (
        Kind("networking.istio.io", "VirtualService"),
        Kind("security.istio.io", "AuthorizationPolicy"),
        Kind("security.istio.io", "PeerAuthentication"),
    ),
    "linkerd": (
        *_GATEWAY,
        Kind("policy.linkerd.io", "Server"),
        Kind("policy.linkerd.io", "HTTPRoute"),
        Kind("policy.linkerd.io", "MeshTLSAuthentication"),
        Kind("policy.linkerd.io", "AuthorizationPolicy"),
    ),
    "consul": tuple(
        Kind("consul.hashicorp.com", name)
        for name in ("ServiceDefaults", "ServiceResolver", "ServiceSplitter", "ServiceRouter", "ServiceIntentions")
    ),
    "gateway-api": _GATEWAY,
}
"""What each mesh's compiler makes; where a kind is not served, what needs it is told and the rest is done."""
