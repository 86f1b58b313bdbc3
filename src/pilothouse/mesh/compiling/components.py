"""A configuration in components that are compiled and checked alone, and come to the same as together.

Two resources are of one component when a compiler or a check may look at both for one result: splits that share a
Service, a Service and the accounts of its pods, targets that open one account, pods whose labels also select others'.
What is only looked up by its own name is an input and may be of many components: groups, routes, bindings, and the
Services of callers. Names count without their namespace, as Consul takes them: that joins more than other meshes need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from pilothouse.mesh.compiling.granting import is_destination
from pilothouse.mesh.model import (
    Configuration,
    HTTPRouteGroup,
    IdentityRef,
    Name,
    PortRoute,
    Resource,
    Service,
    TrafficSplit,
    TrafficTarget,
    Workload,
)
from pilothouse.mesh.reading.surroundings import Selecting

T = TypeVar("T")


@dataclass(slots=True)
class Component:
    """Splits and targets, with the Services and pods that join them and what else their compilation may ask for."""

    splits: list[TrafficSplit] = field(default_factory=list)
    targets: list[TrafficTarget] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    named: list[Resource] = field(default_factory=list)
    callers: list[Service] = field(default_factory=list)

    @property
    def name(self) -> tuple[str, Name]:
        """The first of its resources: no other component has it."""
        return ("TrafficSplit", self.splits[0].id) if self.splits else ("TrafficTarget", self.targets[0].id)

    def content(self) -> tuple[object, ...]:
        """All of it: what has equal content compiles to the same."""
        return (*self.splits, *self.targets, *self.services, *self.workloads, *self.named, None, *self.callers)

    def configuration(self) -> Configuration:
        """As a configuration of its own."""
        made = Configuration()
        for resource in (*self.splits, *self.targets, *self.named):
            made.add(resource)
        # Its own come first, in their order: of two before the same pods the later may count.
        made.services = {service.id: service for service in (*self.services, *self.callers)}
        made.workloads = {pods.id: pods for pods in self.workloads}
        return made


def components(configuration: Configuration, around: Surroundings | None = None) -> list[Component]:
    """All components that have splits or targets. Services must know the accounts of their pods (`with_accounts`).

    `around` may be kept from a configuration with the same Services and pods.
    """
    around = around or Surroundings(configuration)
    joined = _joined(configuration, around)
    found: dict[str, Component] = defaultdict(Component)
    for split in configuration.splits.values():
        found[joined.one(split.service)].splits.append(split)
    for target in configuration.targets.values():
        found[joined.one(_opened(target.destination))].targets.append(target)
    for service in configuration.services.values():
        if (component := found.get(joined.one(service.id.name))) is not None:
            component.services.append(service)
    for pods in configuration.workloads.values():
        if (component := found.get(joined.one(pods.account))) is not None:
            component.workloads.append(pods)
    for component in found.values():
        component.named = list(_named(configuration, component))
        component.callers = list(_callers(configuration, component, around.known))
    return list(found.values())


class _Joined:
    """Names, some of which are one (a disjoint-set forest)."""

    def __init__(self, above: Mapping[str, str] = MappingProxyType({})) -> None:
        self._above = dict(above)

    def copy(self) -> _Joined:
        """The same, to be joined further."""
        return _Joined(self._above)

    def one(self, name: str) -> str:
        """Which stands for all that it is joined with."""
        above = self._above
        while (next := above.get(name, name)) != name:
            above[name] = above.get(next, next)
            name = next
        return name

    def join(self, name: str, other: str) -> None:
        """From now on the two are one."""
        if name != other:
            self._above[self.one(other)] = self.one(name)


class Surroundings:
    """What Services and pods join by themselves, and Services by their names and by the accounts of their pods."""

    def __init__(self, configuration: Configuration) -> None:
        self._services, self._workloads = configuration.services, configuration.workloads
        self.joined = _Joined()
        self.known: dict[str, list[Service]] = defaultdict(list)
        for service in configuration.services.values():
            for account in service.accounts:
                self.joined.join(service.id.name, account)
            for name in {service.id.name, *service.accounts}:
                self.known[name].append(service)
        selecting = Selecting(configuration)
        for pods in configuration.workloads.values():
            for other in selecting.pods(pods.id.namespace, pods.labels):
                self.joined.join(pods.account, other.account)

    def is_of(self, configuration: Configuration) -> bool:
        """Whether a configuration has the very same Services and pods."""
        return configuration.services is self._services and configuration.workloads is self._workloads


def _joined(configuration: Configuration, around: Surroundings) -> _Joined:
    joined = around.joined.copy()
    for split in configuration.splits.values():
        for backend in split.backends:
            joined.join(split.service, backend.service)
    for target in configuration.targets.values():
        if target.destination.kind == "IdentityBinding":
            for pods in configuration.workloads.values():
                if is_destination(configuration, target.destination, pods):
                    joined.join(_opened(target.destination), pods.account)
    return joined


def _opened(destination: IdentityRef) -> str:
    """The name that a destination has among the others: no account has one with a space."""
    return destination.id.name if destination.kind == "ServiceAccount" else f"IdentityBinding {destination.id}"


def _named(configuration: Configuration, component: Component) -> Iterator[Resource]:
    """The groups, routes and bindings that it names."""
    for split in component.splits:
        for name in split.matches:
            yield from _there(configuration.groups, Name(split.id.namespace, name))
    routes: dict[str, Mapping[Name, HTTPRouteGroup | PortRoute]] = {
        "HTTPRouteGroup": configuration.groups,
        "TCPRoute": configuration.tcp_routes,
        "UDPRoute": configuration.udp_routes,
    }
    for target in component.targets:
        for rule in target.rules:
            yield from _there(routes[rule.kind], Name(target.id.namespace, rule.name))
        for ref in (target.destination, *target.sources):
            if ref.kind == "IdentityBinding":
                yield from _there(configuration.bindings, ref.id)


def _there(known: Mapping[Name, T], id: Name) -> Sequence[T]:
    found = known.get(id)
    return () if found is None else (found,)


def _callers(
    configuration: Configuration, component: Component, known: Mapping[str, Sequence[Service]]
) -> Iterator[Service]:
    """The Services that sources may be (Consul names callers by Service)."""
    for target in component.targets:
        for ref in target.sources:
            if ref.kind == "ServiceAccount":
                yield from known.get(ref.id.name, ())
            elif (binding := configuration.bindings.get(ref.id)) is not None and binding.service_account:
                yield from known.get(binding.service_account, ())
