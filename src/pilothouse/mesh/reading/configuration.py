"""Objects of any source into a configuration, with what is to be said about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.kube.objects import KubeObject
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration, Name, Resource
from pilothouse.mesh.reading.access import read_binding, read_target
from pilothouse.mesh.reading.fields import Fields
from pilothouse.mesh.reading.specs import read_group, read_port_route
from pilothouse.mesh.reading.split import read_split
from pilothouse.mesh.reading.surroundings import add_surroundings, with_accounts

ACCESS, SPECS, SPLIT = "access.smi-spec.io", "specs.smi-spec.io", "split.smi-spec.io"
VERSIONS = ("v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4")
_FIRST = {
    (ACCESS, "TrafficTarget"): "v1alpha1",
    (ACCESS, "IdentityBinding"): "v1alpha4",
    (SPECS, "HTTPRouteGroup"): "v1alpha1",
    (SPECS, "TCPRoute"): "v1alpha1",
    (SPECS, "UDPRoute"): "v1alpha4",
    (SPLIT, "TrafficSplit"): "v1alpha1",
}


@dataclass(slots=True)
class Reading:
    """What was read: `configuration` holds what can be used, `findings` what is to be said, `sources` where each is."""

    configuration: Configuration = field(default_factory=Configuration)
    findings: list[Finding] = field(default_factory=list)
    sources: dict[tuple[str, Name], KubeObject] = field(default_factory=dict)


def read_objects(objects: Iterable[KubeObject], namespace: str = "default") -> Reading:
    """Read all objects of the interface, and the Services and pods around them; other objects are passed over.

    `namespace` is where objects are that do not say.
    """
    reading = Reading()
    for source in objects:
        if source.group in (ACCESS, SPECS, SPLIT):
            _read(reading, source, namespace)
        else:
            add_surroundings(reading.configuration, source, namespace)
    with_accounts(reading.configuration)
    return reading


def _read(reading: Reading, source: KubeObject, namespace: str) -> None:
    fields = Fields(source, namespace)
    version = source.api_version.rpartition("/")[2]
    first = _FIRST.get((source.group, source.kind))
    if first is None:
        fields.error(("kind",), f"{source.group} has no kind {source.kind!r}", "kind")
    elif version not in VERSIONS or version < first:
        said = f"{version!r} is not a version of {source.kind}: {first} to v1alpha4 are"
        fields.error(("apiVersion",), said, "version")
    if not source.name:
        fields.error(("metadata", "name"), "is missing", "type")
    resources = [] if fields.failed else _resources(fields, source.kind, version)
    reading.findings += fields.findings
    if fields.failed:
        return
    if (source.kind, fields.id) in reading.sources:
        said = "is there twice; the later one counts"
        reading.findings.append(
            Finding("warning", "twice", f"{source.kind} {fields.id}", "metadata.name", said, source.place())
        )
    reading.sources[source.kind, fields.id] = source
    for resource in resources:
        reading.configuration.add(resource)


def _resources(fields: Fields, kind: str, version: str) -> list[Resource]:
    match kind:
        case "TrafficTarget":
            target, route = read_target(fields, version)
            return [target, route] if route else [target]
        case "IdentityBinding":
            return [read_binding(fields)]
        case "HTTPRouteGroup":
            return [read_group(fields, version)]
        case "TCPRoute":
            return [read_port_route(fields, version, "TCPRoute")]
        case "UDPRoute":
            return [read_port_route(fields, version, "UDPRoute")]
        case _:
            return [read_split(fields, version)]
