"""What the interface means: pure functions from a configuration and a request to a decision.

Every target mesh is tested against these. They are written to be read, not to be fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from pilothouse.mesh.model import Configuration, HttpMatch, IdentityRef, Name, Rule, TrafficTarget, spiffe_id
from pilothouse.mesh.regexes import path_matches, value_matches
from pilothouse.mesh.splitting import roots


@dataclass(frozen=True, slots=True)
class Identity:
    """Who someone is: the ServiceAccount, the pod's labels, and the SPIFFE ID of the certificate."""

    account: Name
    labels: Mapping[str, str] = field(default_factory=dict)
    spiffe: str = ""

    def spiffe_id(self, trust_domain: str = "cluster.local") -> str:
        """The given SPIFFE ID, or the one that meshes give a ServiceAccount."""
        return self.spiffe or spiffe_id(self.account, trust_domain)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request as the server's proxy sees it: its path normalised and without the query."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: over TCP or UDP to a pod's port, with the HTTP request when it is one."""

    source: Identity
    destination: Identity
    port: int
    http: HttpRequest | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a call is allowed; `by` are the targets (with the rule) that allow it, `why` says it in words."""

    allowed: bool
    by: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request to a Service goes: backends with their probability, and the split that says so.

    `split` is empty when no split applies and the Service's own endpoints answer.
    """

    backends: tuple[tuple[Name, Fraction], ...]
    split: str = ""
    match: str = ""


def access(configuration: Configuration, call: Call) -> Access:
    """Is the call allowed? Targets add up; what none allows is denied."""
    targets = [t for t in configuration.targets.values() if _is(configuration, t.destination, call.destination)]
    if not targets:
        return Access(False, (), f"no TrafficTarget opens {call.destination.account}: denied by default")
    by = [name for target in targets if (name := _allows(configuration, target, call))]
    if by:
        return Access(True, tuple(by), f"allowed by {', '.join(by)}")
    knowing = [target for target in targets if _is_source(configuration, target, call.source)]
    if not knowing:
        names = ", ".join(str(target.id) for target in targets)
        return Access(False, (), f"{call.source.account} is a source of none of {names}")
    names = ", ".join(str(target.id) for target in knowing)
    return Access(False, (), f"{names} name the source, but none of their rules covers this request")


def reaches(configuration: Configuration, source: Identity, destination: Identity) -> bool:
    """Whether some target lets the source in at all, whatever it asks for."""
    return any(
        _is(configuration, target.destination, destination) and _is_source(configuration, target, source)
        for target in configuration.targets.values()
    )


def route(configuration: Configuration, service: Name, http: HttpRequest | None = None, port: int = 0) -> Route:
    """Where a request to a Service's port goes (0: to a port that all backends have).

    Without `http` it is a TCP connection, to which matches do not apply. No backends means that it fails.
    """
    for root in roots(configuration):
        if root.id != service:
            continue
        for division in root.divisions:
            found = _first(division.matches, http)
            if division.matches and found is None:
                continue
            shares = division.shares(configuration, port)
            total = sum(weight for _, weight in shares)
            backends = tuple((Name(service.namespace, name), Fraction(weight, total)) for name, weight in shares)
            return Route(backends, str(division.split.id), found.name if found else "")
    return Route(((service, Fraction(1)),))


def matches(match: HttpMatch, http: HttpRequest) -> bool:
    """Whether a request is one of a match: all that it names must hold."""
    if match.methods and http.method not in match.methods:
        return False
    if not path_matches(match.path_regex, http.path.partition("?")[0]):
        return False
    lowered = {name.lower(): value for name, value in http.headers.items()}
    return all(name in lowered and value_matches(pattern, lowered[name]) for name, pattern in match.headers)


def _first(found: tuple[HttpMatch, ...], http: HttpRequest | None) -> HttpMatch | None:
    if http is None:
        return None
    return next((match for match in found if matches(match, http)), None)


def _allows(configuration: Configuration, target: TrafficTarget, call: Call) -> str:
    """How a target allows the call; empty when it does not. Rules of a kind add up, kinds narrow each other."""
    if not _is_source(configuration, target, call.source):
        return ""
    if call.protocol == "udp":
        return str(target.id) if _ports_allow(configuration, target, call, "UDPRoute") else ""
    tcp = [rule for rule in target.rules if rule.kind == "TCPRoute"]
    http = [rule for rule in target.rules if rule.kind == "HTTPRouteGroup"]
    if not tcp and not http:
        return ""
    if tcp and not _ports_allow(configuration, target, call, "TCPRoute"):
        return ""
    if not http:
        return str(target.id)
    if call.http is None:
        return ""
    for rule in http:
        for match in resolved(configuration, target, rule):
            if matches(match, call.http):
                return f"{target.id} ({rule.name}/{match.name})"
    return ""


def resolved(configuration: Configuration, target: TrafficTarget, rule: Rule) -> tuple[HttpMatch, ...]:
    """The matches that a rule names; none when the group or a match is not there: what is missing allows nothing."""
    group = configuration.groups.get(Name(target.id.namespace, rule.name))
    if group is None:
        return ()
    return tuple(match for match in group.matches if not rule.matches or match.name in rule.matches)


def _ports_allow(configuration: Configuration, target: TrafficTarget, call: Call, kind: str) -> bool:
    routes = configuration.tcp_routes if kind == "TCPRoute" else configuration.udp_routes
    for rule in target.rules:
        found = routes.get(Name(target.id.namespace, rule.name)) if rule.kind == kind else None
        if found is not None and (not found.ports or call.port in found.ports):
            return True
    return False


def _is_source(configuration: Configuration, target: TrafficTarget, who: Identity) -> bool:
    return any(_is(configuration, source, who) for source in target.sources)


def _is(configuration: Configuration, ref: IdentityRef, who: Identity) -> bool:
    """Whether someone is who a reference names; a binding speaks for its own namespace only."""
    if ref.kind == "ServiceAccount":
        # A certificate of another trust domain is nobody's ServiceAccount here.
        return who.account == ref.id and who.spiffe in ("", Identity(ref.id).spiffe_id())
    binding = configuration.bindings.get(ref.id)
    if binding is None:
        return False
    if who.spiffe_id() in binding.spiffe_identities:
        return True
    if who.account.namespace != ref.id.namespace:
        return False
    if binding.service_account and who.account.name == binding.service_account:
        return who.spiffe in ("", who.spiffe_id())
    return bool(binding.pod_labels) and set(binding.pod_labels) <= set(who.labels.items())
