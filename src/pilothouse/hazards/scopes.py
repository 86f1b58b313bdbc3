"""Over what a rule is asked: `object` once for each, `pod` for each pod template, `container` for each container in
one, `world` once for all objects together, `change` for each pair of old and new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pilothouse.hazards.expressions import bind
from pilothouse.hazards.facts.kinds import facts
from pilothouse.hazards.facts.pods import pod as pod_facts
from pilothouse.hazards.facts.pods import template_path
from pilothouse.hazards.facts.workloads import workload
from pilothouse.hazards.facts.world import World, owned
from pilothouse.hazards.model import Subject
from pilothouse.kube.objects import KubeObject, Path, dig


@dataclass(slots=True)
class Scope:
    """Values to ask rules of one scope with, and where in the object they are."""

    name: str
    bound: Any
    subject: Subject
    path: Path


def scopes(one: KubeObject, world: World) -> Iterator[Scope]:
    """All scopes of one object. Pods that a controller made are left to their controller."""
    subject = Subject(one.kind, one.namespace, one.name)
    base: dict[str, Any] = {"object": one.content, "world": world.facts}
    path = template_path(one)
    if path is None:
        yield Scope("object", bind(base | {"facts": facts(one, world), "workload": None, "pod": None}), subject, ())
        return
    if owned(one):
        return
    described = pod_facts(dig(one.content, *path))
    around = workload(one, described, world)
    base |= {"pod": described, "workload": around}
    containers = described["all_containers"]
    # One binding for all, with the first container: CEL converts a value when it is first touched, which costs more
    # than any rule, and most pods have one container.
    first = {"container": containers[0]} if containers else {}
    bound = bind(base | first | {"facts": facts(one, world)})
    yield Scope("object", bound, subject, ())
    inside = (*path, "spec")
    yield Scope("pod", bound, subject, inside)
    for number, each in enumerate(containers):
        about = Subject(one.kind, one.namespace, one.name, each["name"])
        again = bind(base | {"container": each}) if number else bound
        yield Scope("container", again, about, inside + tuple(each["path"]))


def sides(old: KubeObject | None, new: KubeObject | None, before: World, after: World) -> Scope:
    """The scope of a change; `old.there` and `new.there` say whether the object is on that side."""
    known = new or old
    assert known
    values = {"old": side(old, before), "new": side(new, after), "world": after.facts}
    return Scope("change", bind(values), Subject(known.kind, known.namespace, known.name), ())


def side(one: KubeObject | None, world: World) -> dict[str, Any]:
    """One side of a change, with the same facts as the other scopes."""
    if one is None:
        return {"there": False, "object": None, "pod": None, "workload": None, "facts": None}
    path = template_path(one)
    found: dict[str, Any] = {"there": True, "object": one.content, "pod": None, "workload": None}
    if path is not None:
        found["pod"] = pod_facts(dig(one.content, *path))
        found["workload"] = workload(one, found["pod"], world)
    return found | {"facts": facts(one, world)}
