"""What should be there for a part: its components made into objects, those that are as before taken from memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.kube.discovering import Resource
from pilothouse.mesh.checking import check_groups, check_resources, placed
from pilothouse.mesh.compiling import Options
from pilothouse.mesh.compiling.components import Component, Surroundings, components
from pilothouse.mesh.compiling.targets import compile_alone, denying
from pilothouse.mesh.controlling.interpreting import owners
from pilothouse.mesh.controlling.kinds import Kind
from pilothouse.mesh.controlling.planning import Wanted, wanted_objects
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.watching import Key
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading


@dataclass(slots=True)
class Made:
    """Objects as they are to be applied, those whose kind the cluster does not serve (with why), what the mesh cannot
    express, and what else is to be said.
    """

    wanted: dict[Key, Wanted] = field(default_factory=dict)
    unserved: dict[Key, str] = field(default_factory=dict)
    losses: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def take(self, other: Made) -> None:
        """Add what was made of a component."""
        self.wanted.update(other.wanted)
        self.unserved.update(other.unserved)
        self.losses += other.losses
        self.findings += other.findings


def made_of(
    reading: Reading, mesh: str, options: Options, resources: Mapping[Kind, Resource], memory: Memory
) -> Made:  # fmt: skip
    """All of a part. `resources` are what the cluster serves of the mesh's kinds."""
    served = sorted((kind, resource.api_version) for kind, resource in list(resources.items()))
    if served != memory.served:
        memory.served, memory.made = served, {}
    known, memory.made = memory.made, {}
    made = Made(findings=list(reading.findings))
    objects = denying(mesh, reading.configuration)
    made.wanted, made.unserved = wanted_objects(objects, mesh, resources, lambda source: [], memory.wanted)
    if memory.surroundings is None or not memory.surroundings.is_of(reading.configuration):
        memory.surroundings = Surroundings(reading.configuration)
    for component in components(reading.configuration, memory.surroundings):
        content = (*component.content(), *_sources(reading, component))
        before = known.get(component.name)
        if before is not None and before[0] == content:
            # What is equal is kept as it was, so that the next look finds the same.
            content, one = before
        else:
            one = _made(reading, component, mesh, options, resources, memory)
        memory.made[component.name] = (content, one)
        made.take(one)
    made.findings += [placed(reading, found) for found in check_groups(reading.configuration.groups)]
    memory.wanted = made.wanted
    return made


def _sources(reading: Reading, component: Component) -> list[object]:
    """The objects that own what is made."""
    splits = [reading.sources.get(("TrafficSplit", split.id)) for split in component.splits]
    return [*splits, *(reading.sources.get(("TrafficTarget", target.id)) for target in component.targets)]


def _made(
    reading: Reading,
    component: Component,
    mesh: str,
    options: Options,
    resources: Mapping[Kind, Resource],
    memory: Memory,
) -> Made:
    configuration = component.configuration()
    compiled = compile_alone(mesh, configuration, options)
    wanted, unserved = wanted_objects(
        compiled.objects, mesh, resources, lambda source: owners(reading, source), memory.wanted
    )
    findings = [placed(reading, found) for found in check_resources(configuration)]
    return Made(wanted, unserved, compiled.findings, findings)
