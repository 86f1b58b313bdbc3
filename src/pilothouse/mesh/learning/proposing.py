"""Observed calls as TrafficTargets that allow these and no others, and what is to be said of how much was seen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from pilothouse.mesh.learning.observing import Observation, ObservedCall, Party
from pilothouse.mesh.learning.routes import route_regex, slug
from pilothouse.mesh.model import (
    Configuration,
    HttpMatch,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    PortRoute,
    Resource,
    Rule,
    TrafficTarget,
)

_LONG_ENOUGH = 86_400.0
_SELDOM = 10
_MANY_PATHS = 50
# One match stands for all paths of a method where a service has no route templates and too many paths.
_ANY_PATH = ""


@dataclass(slots=True)
class Proposal:
    """`resources` allow what was seen; `seen` has a line for each pair of accounts, `warnings` what may be missing."""

    resources: list[Resource] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def propose(observation: Observation, configuration: Configuration, namespace: str = "default") -> Proposal:
    """Targets for everything that was observed. `configuration` (Services and workloads) tells the accounts and ports;
    without it an account is taken to have its service's name. `namespace` is that of services that do not say.
    """
    made = _Proposing(configuration, namespace)
    pairs: dict[tuple[Name, Name], list[ObservedCall]] = defaultdict(list)
    for call in observation.calls:
        source, destination = made.account(call.client), made.account(call.server)
        if source != destination:
            pairs[destination, source].append(call)
    by_destination: dict[Name, dict[Name, list[ObservedCall]]] = defaultdict(dict)
    for (destination, source), calls in sorted(pairs.items()):
        by_destination[destination][source] = calls
    for destination, sources in by_destination.items():
        made.destination(destination, sources)
    made.doubts(observation)
    return made.proposal


class _Proposing:
    def __init__(self, configuration: Configuration, namespace: str) -> None:
        self._configuration, self._namespace = configuration, namespace
        self._guessed: set[Party] = set()
        self.proposal = Proposal()

    def account(self, party: Party) -> Name:
        """The ServiceAccount that a service's pods run under."""
        space = party.namespace or self._namespace
        for name in (party.workload, party.service):
            if name and (pods := self._configuration.workloads.get(Name(space, name))):
                return Name(space, pods.account)
        service = self._configuration.services.get(Name(space, party.service))
        if service and len(service.accounts) == 1:
            return Name(space, service.accounts[0])
        self._guessed.add(party)
        return Name(space, party.service)

    def destination(self, destination: Name, sources: dict[Name, list[ObservedCall]]) -> None:
        """The resources that let `sources` in, and nobody else."""
        matches: dict[tuple[str, str], str] = {}
        ports: PortRoute | None = None
        paths = {call.path for calls in sources.values() for call in calls if call.method and not call.route}
        wide = len(paths) > _MANY_PATHS
        if wide:
            self._warn(
                f"{destination}: {len(paths)} paths without a route template (http.route): its methods are allowed on "
                "all paths"
            )
        targets = []
        for source, calls in sources.items():
            rules: list[Rule] = []
            names = sorted({self._match(matches, call, wide) for call in calls if call.method})
            if names:
                rules.append(Rule("HTTPRouteGroup", f"learned-{destination.name}", tuple(names)))
            elif any(not call.method for call in calls):
                ports = ports or self._ports(destination)
                rules.append(Rule("TCPRoute", ports.id.name))
            if names and any(not call.method for call in calls):
                self._warn(f"{source} calls {destination} with HTTP and without: only HTTP is allowed")
            self._say(source, destination, calls, len(names))
            id = Name(destination.namespace, f"learned-{source.name}-to-{destination.name}"[:253])
            who = (IdentityRef("ServiceAccount", source),)
            targets.append(TrafficTarget(id, IdentityRef("ServiceAccount", destination), who, tuple(rules)))
        if matches:
            made = tuple(
                HttpMatch(name, regex, (method,))
                for (method, regex), name in sorted(matches.items(), key=lambda i: i[1])
            )
            group = Name(destination.namespace, f"learned-{destination.name}")
            self.proposal.resources.append(HTTPRouteGroup(group, made))
        if ports:
            self.proposal.resources.append(ports)
        self.proposal.resources += _distinct(targets)

    def doubts(self, observation: Observation) -> None:
        """What may be missing."""
        calls = observation.calls
        if not calls:
            self._warn("no calls between services were seen: do both sides send spans?")
        else:
            seconds = max(call.last for call in calls) - min(call.first for call in calls)
            if seconds < _LONG_ENOUGH:
                self._warn(
                    f"calls of {_long(seconds)} only were seen: what happens daily or weekly (jobs, reports, backups) "
                    "is denied by this. Watch longer, or let it run without enforcing first"
                )
        counted: dict[str, int] = defaultdict(int)
        for call in calls:
            counted[_named(call)] += call.calls
        seldom = sorted(name for name, count in counted.items() if count < _SELDOM)
        if seldom:
            self._warn(f"{len(seldom)} kinds of calls were seen fewer than {_SELDOM} times, such as {seldom[0]}: there "
                       "may be rarer ones that were not seen, more so if spans are sampled")  # fmt: skip
        for server, count in observation.strangers:
            self._warn(f"{count} calls to {server.service} came from who sends no spans (users, probes, a gateway): "
                       "nothing is opened for them")  # fmt: skip
        if self._guessed:
            names = ", ".join(sorted({party.service for party in self._guessed}))
            self._warn(f"the ServiceAccount of {names} is not known and taken to have that name: give the manifests of "
                       "the workloads")  # fmt: skip
        if observation.cut:
            self._warn("there were more kinds of calls than can be looked at: narrow the time or the namespace")

    def _match(self, matches: dict[tuple[str, str], str], call: ObservedCall, wide: bool) -> str:
        regex = _ANY_PATH if wide and not call.route else route_regex(call.route, call.path)
        key = (call.method, regex)
        if key not in matches:
            name = stem = slug(call.method, regex) if regex else f"{call.method.lower()}-any"
            number = 1
            while name in matches.values():
                number += 1
                name = f"{stem}-{number}"
            matches[key] = name
        return matches[key]

    def _ports(self, destination: Name) -> PortRoute:
        found = sorted({
            port.target_port
            for service in self._configuration.services.values()
            if service.id.namespace == destination.namespace and destination.name in service.accounts
            for port in service.ports
            if port.protocol == "tcp"
        })  # fmt: skip
        if not found:
            self._warn(
                f"the ports of {destination} are not known: all of them are allowed to who calls it without HTTP"
            )
        return PortRoute(Name(destination.namespace, f"learned-{destination.name}-tcp"), "TCPRoute", tuple(found))

    def _say(self, source: Name, destination: Name, calls: list[ObservedCall], routes: int) -> None:
        total, first, last = sum(c.calls for c in calls), min(c.first for c in calls), max(c.last for c in calls)
        what = f"{routes} routes" if routes else "TCP"
        self.proposal.seen.append(f"{source} -> {destination}: {total} calls on {what} over {_long(last - first)}")

    def _warn(self, text: str) -> None:
        self.proposal.warnings.append(text)


def _named(call: ObservedCall) -> str:
    route = route_regex(call.route, call.path) if call.method else ""
    return f"{call.client.service} -> {call.server.service} {call.method} {route}".strip()


def _distinct(targets: list[TrafficTarget]) -> list[TrafficTarget]:
    """Accounts of one name in two namespaces would make one name of two targets."""
    names = [target.id.name for target in targets]
    return [
        target
        if names.count(target.id.name) == 1
        else TrafficTarget(
            Name(target.id.namespace, f"{target.id.name}-{target.sources[0].id.namespace}"),
            target.destination, target.sources, target.rules,
        )
        for target in targets
    ]  # fmt: skip


def _long(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
