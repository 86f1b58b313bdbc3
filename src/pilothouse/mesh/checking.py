"""What may not be meant: conflicts, missing references, doubts, and rules that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilothouse.mesh.compiling.overlapping import Overlap, compared
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.globbing import Shape, shapes
from pilothouse.mesh.model import (
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    TrafficSplit,
    TrafficTarget,
)
from pilothouse.mesh.reading import Reading
from pilothouse.mesh.splitting import Root, roots


def check(reading: Reading) -> list[Finding]:
    """All that is to be said about what was read, that of reading it first."""
    configuration = reading.configuration
    found = [*reading.findings, *check_resources(configuration), *check_groups(configuration.groups)]
    return [placed(reading, finding) for finding in found]


def check_resources(configuration: Configuration) -> list[Finding]:
    """What is to be said about splits and targets."""
    found: list[Finding] = []
    callers = _callers(configuration)
    for root in roots(configuration):
        found += [
            Finding("error", code, f"TrafficSplit {split.id}", field, said)
            for code, split, field, said in root.unused()
        ]
        found += _unreachable(root)
        found += _contradictions(configuration, callers, root)
    divided = {split.root for split in configuration.splits.values()}
    for split in configuration.splits.values():
        found += _nesting(divided, split)
    ports = _pod_ports(configuration)
    for target in configuration.targets.values():
        found += _references(configuration, target)
        found += _ports(configuration, target, ports.get(target.destination.id, {}))
    return found


def check_groups(groups: Mapping[Name, HTTPRouteGroup]) -> list[Finding]:
    """What is to be said about groups, whoever names them."""
    found: list[Finding] = []
    for group in groups.values():
        for number, match in enumerate(group.matches):
            if _reads_differently(match.path_regex):
                said = (
                    f"{match.path_regex!r} matches the start of a path, so {match.path_regex}x too; where all of the "
                    f"path is meant write {match.path_regex}$ or {match.path_regex}(/.*)?$"
                )
                found.append(
                    _warning("anchoring", f"HTTPRouteGroup {group.id}", f"spec.matches[{number}].pathRegex", said)
                )
    return found


def placed(reading: Reading, finding: Finding) -> Finding:
    """With the place of the resource when that of the field is not known."""
    if finding.place is not None:
        return finding
    kind, _, name = finding.subject.partition(" ")
    namespace, _, name = name.partition("/")
    source = reading.sources.get((kind, Name(namespace, name)))
    if source is None:
        return finding
    place = source.place(("metadata", "name"))
    return Finding(finding.level, finding.code, finding.subject, finding.field, finding.message, place)


def _warning(code: str, subject: str, field: str, message: str) -> Finding:
    return Finding("warning", code, subject, field, message)


def _unreachable(root: Root) -> Iterator[Finding]:
    """Matches all of whose requests an earlier division takes."""
    earlier: list[tuple[HttpMatch, TrafficSplit]] = []
    for division in root.divisions:
        for match in division.matches:
            for other, split in earlier:
                if compared(other, match) in (Overlap.EQUAL, Overlap.CONTAINS):
                    said = f"match {match.name} is never asked: {other.name} of {split.id.name} takes its requests"
                    yield _warning("unreachable", f"TrafficSplit {division.split.id}", "spec.matches", said)
                    break
        earlier += [(match, division.split) for match in division.matches]


def _contradictions(
    configuration: Configuration, sources: Mapping[Name, set[IdentityRef]], root: Root
) -> Iterator[Finding]:
    """Who may call one backend of a split and not another: a part of their requests would be refused."""
    for division in root.divisions:
        callers: dict[str, set[IdentityRef]] = {}
        for name, _ in division.shares(configuration):
            service = configuration.services.get(Name(root.id.namespace, name))
            if service is None or not service.accounts:
                break
            let_in = [sources.get(Name(root.id.namespace, account), set()) for account in service.accounts]
            # Every account of a Service must let a caller in.
            callers[name] = set.intersection(*let_in)
        everyone = set().union(*callers.values()) if callers else set()
        for name, allowed in callers.items():
            for who in sorted(everyone - allowed, key=lambda ref: ref.id):
                said = f"{who.kind} {who.id} may call other backends, but not {name}: these requests are denied"
                yield _warning("split-access", f"TrafficSplit {division.split.id}", "spec.backends", said)


def _callers(configuration: Configuration) -> dict[Name, set[IdentityRef]]:
    """The sources that each account lets in."""
    found: dict[Name, set[IdentityRef]] = {}
    for target in configuration.targets.values():
        if target.destination.kind == "ServiceAccount":
            found.setdefault(target.destination.id, set()).update(target.sources)
    return found


def _nesting(divided: set[Name], split: TrafficSplit) -> Iterator[Finding]:
    for number, backend in enumerate(split.backends):
        field = f"spec.backends[{number}].service"
        if backend.service == split.service:
            said = "names the divided Service itself: its own endpoints are meant, and not divided again"
            yield _warning("self-reference", f"TrafficSplit {split.id}", field, said)
        elif Name(split.id.namespace, backend.service) in divided:
            said = f"{backend.service} is divided too; splits do not nest: its own endpoints are meant"
            yield _warning("nesting", f"TrafficSplit {split.id}", field, said)


def _references(configuration: Configuration, target: TrafficTarget) -> Iterator[Finding]:
    known: dict[str, Mapping[Name, object]] = {
        "HTTPRouteGroup": configuration.groups,
        "TCPRoute": configuration.tcp_routes,
        "UDPRoute": configuration.udp_routes,
    }
    for number, rule in enumerate(target.rules):
        id, field = Name(target.id.namespace, rule.name), f"spec.rules[{number}]"
        if id not in known[rule.kind]:
            said = f"{rule.kind} {id} is not there: the rule allows nothing"
            yield Finding("error", "unresolved", f"TrafficTarget {target.id}", field, said)
        elif rule.kind == "HTTPRouteGroup":
            names = {match.name for match in configuration.groups[id].matches}
            for missing in sorted(set(rule.matches) - names):
                said = f"HTTPRouteGroup {id} has no match {missing!r}: it allows nothing"
                yield Finding("error", "unresolved", f"TrafficTarget {target.id}", f"{field}.matches", said)
    for place, ref in (("spec.destination", target.destination), *_numbered(target)):
        if ref.kind == "IdentityBinding" and ref.id not in configuration.bindings:
            said = f"IdentityBinding {ref.id} is not there: it is nobody"
            yield Finding("error", "unresolved", f"TrafficTarget {target.id}", place, said)


def _numbered(target: TrafficTarget) -> list[tuple[str, IdentityRef]]:
    return [(f"spec.sources[{number}]", ref) for number, ref in enumerate(target.sources)]


def _pod_ports(configuration: Configuration) -> dict[Name, dict[int, int]]:
    """For each account the ports of the Services before its pods, and where each leads."""
    found: dict[Name, dict[int, int]] = {}
    for service in configuration.services.values():
        for account in service.accounts:
            led = found.setdefault(Name(service.id.namespace, account), {})
            led.update({port.port: port.target_port for port in service.ports})
    return found


def _ports(configuration: Configuration, target: TrafficTarget, led: Mapping[int, int]) -> Iterator[Finding]:
    """Ports are those of pods. One that only a Service has is most likely meant to be where that leads."""
    for rule in target.rules:
        route = configuration.tcp_routes.get(Name(target.id.namespace, rule.name)) if rule.kind == "TCPRoute" else None
        for port in route.ports if route else ():
            if port in led and port not in led.values():
                said = (
                    f"TCPRoute {rule.name} names the Service's port {port}; pods listen on {led[port]}: nobody gets in"
                )
                yield _warning("service-port", f"TrafficTarget {target.id}", "spec.rules", said)


def _reads_differently(pattern: str) -> bool:
    """Whether some meshes, which match whole paths, would read it as another set of paths."""
    found = shapes(pattern) if pattern else None
    return any(_open_ended(shape) for shape in found or ())


def _open_ended(shape: Shape) -> bool:
    last = shape.parts[-1] if shape.parts else ""
    return not shape.ended and isinstance(last, str) and not last.endswith("/")
