"""Who speaks for a party of a comparison: its resources, or an error that says which there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.releases.discovering import releases, services
from pilothouse.releases.identifying import version_of
from pilothouse.signals.errors import NotFoundError
from pilothouse.signals.identity import INSTANCE, SERVICE
from pilothouse.signals.selecting import Resource, resources
from pilothouse.signals.selector import Matcher, Selector

if TYPE_CHECKING:
    from pilothouse.engine import Engine
    from pilothouse.releases.party import Party


def known_service(engine: Engine, service: str) -> None:
    """Raises `NotFoundError` with the services that are known when this one is not."""
    names = [one["name"] for one in services(engine)]
    if service not in names:
        known = f"known are {', '.join(names[:20])}" if names else "nothing has sent telemetry yet"
        raise NotFoundError(f"no service is called {service!r}; {known}")


def speakers(engine: Engine, service: str, party: Party) -> list[Resource]:
    """All resources of a party; raises `NotFoundError` that names the known versions when there are none."""
    if found := _matching(engine, service, party):
        return found
    known_service(engine, service)
    names = [one.version for one in releases(engine, service)]
    if not party.version or party.version in names:
        wanted = ", ".join(f'{one.label}{one.operator}"{one.value}"' for one in party.where.matchers)
        named = f"{service} {party.version}".rstrip()
        raise NotFoundError(f"{named} has nothing that matches the selector {wanted}")
    known = f"known are {', '.join(names[:20])}" if names else "it sends no service.version"
    raise NotFoundError(f"{service} has no version {party.version!r}; {known}")


def tracing(engine: Engine, service: str, party: Party) -> set[int]:
    """The identities of a party that send spans."""
    return {one.identity for one in _matching(engine, service, party, "traces")}


def instance_of(resource: Resource) -> str:
    """What calls itself an instance, else the pod, else the distinct set of attributes."""
    attributes = resource.attributes
    return attributes.get(INSTANCE) or attributes.get("k8s.pod.name") or str(resource.identity)


def _matching(engine: Engine, service: str, party: Party, signal: str = "") -> list[Resource]:
    selector = Selector((Matcher(SERVICE, "=", service), *party.where.matchers))
    found = resources(engine, selector, signal=signal)
    return [one for one in found if not party.version or version_of(one.attributes) == party.version]
