"""Objects of any source into a configuration, with what is to be said about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pilothouse.kube.objects import KubeObject
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import Configuration, Name, Resource, Service, Workload
from pilothouse.mesh.reading.access import read_binding, read_target
from pilothouse.mesh.reading.fields import Fields
from pilothouse.mesh.reading.specs import read_group, read_port_route
from pilothouse.mesh.reading.split import read_split
from pilothouse.mesh.reading.surroundings import surrounding, with_accounts

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


@dataclass(frozen=True, slots=True)
class Piece:
    """What one object says, whatever others do: `resources`, or a Service or workload; `findings` about itself."""

    source: KubeObject
    id: Name
    resources: tuple[Resource, ...] = ()
    findings: tuple[Finding, ...] = ()
    failed: bool = False
    around: Service | Workload | None = None


def read_objects(objects: Iterable[KubeObject], namespace: str = "default") -> Reading:
    """Read all objects of the interface, and the Services and pods around them; other objects are passed over.

    `namespace` is where objects are that do not say.
    """
    return put_together(read_piece(source, namespace) for source in objects)


def put_together(pieces: Iterable[Piece]) -> Reading:
    """Pieces as one configuration; the last of a name wins, as in a cluster."""
    reading = Reading()
    for piece in pieces:
        if isinstance(piece.around, Service):
            reading.configuration.services[piece.id] = piece.around
        elif piece.around is not None:
            reading.configuration.workloads[piece.id] = piece.around
        else:
            _take(reading, piece)
    with_accounts(reading.configuration)
    return reading


def _take(reading: Reading, piece: Piece) -> None:
    reading.findings += piece.findings
    if piece.failed:
        return
    subject = (piece.source.kind, piece.id)
    if subject in reading.sources:
        said = "is there twice; the later one counts"
        where = piece.source.place()
        reading.findings.append(
            Finding("warning", "twice", f"{piece.source.kind} {piece.id}", "metadata.name", said, where)
        )
    reading.sources[subject] = piece.source
    for resource in piece.resources:
        reading.configuration.add(resource)


def read_piece(source: KubeObject, namespace: str = "default") -> Piece:
    """Read one object; one of no interest is a piece that failed without a finding."""
    if source.group not in (ACCESS, SPECS, SPLIT):
        around = surrounding(source, namespace)
        id = around.id if around else Name(source.namespace or namespace, source.name)
        return Piece(source, id, failed=around is None, around=around)
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
    return Piece(source, fields.id, tuple(resources), tuple(fields.findings), fields.failed)


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
