"""What is to be written: ours as it should be, ours that is not wanted any more, and what a user's object forbids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.kube.discovering import Resource
from pilothouse.mesh.compiling.compiled import SOURCE
from pilothouse.mesh.controlling.kinds import Kind
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.rivals import rivals
from pilothouse.mesh.controlling.watching import Key, Seen
from pilothouse.mesh.model import Name

MESH = "pilothouse.io/mesh"
HASH = "pilothouse.io/hash"
_MOST_OWNERS = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that should be there; `subjects` are the resources that it comes from (`TrafficSplit shop/s`), `about`
    the same as kind, namespace and name.
    """

    key: Key
    content: dict[str, Any]
    subjects: tuple[str, ...]
    hash: str
    about: tuple[tuple[str, str, str], ...] = ()

    @property
    def name(self) -> str:
        """As people say it: `VirtualService shop/smi-checkout`."""
        return f"{self.key[1]} {self.key[2]}/{self.key[3]}"


@dataclass(slots=True)
class Plan:
    """`apply` and `prune` are to be done, `hindered` cannot be: an object and why. `corrected` are those of `apply`
    that somebody else changed.
    """

    wanted: dict[Key, Wanted] = field(default_factory=dict)
    apply: list[Wanted] = field(default_factory=list)
    corrected: list[Wanted] = field(default_factory=list)
    prune: list[Key] = field(default_factory=list)
    hindered: dict[Key, str] = field(default_factory=dict)


def wanted_objects(
    objects: Iterable[dict[str, Any]],
    mesh: str,
    resources: Mapping[Kind, Resource],
    owners: Callable[[str], list[dict[str, Any]]],
    known: Mapping[Key, Wanted],
) -> tuple[dict[Key, Wanted], dict[Key, str]]:
    """Compiled objects as they are to be applied, and those whose kind the cluster does not serve, with why.

    One that is as it was `known` is that one.
    """
    found: dict[Key, Wanted] = {}
    hindered: dict[Key, str] = {}
    for one in objects:
        kind = Kind(str(one["apiVersion"]).rpartition("/")[0], str(one["kind"]))
        meta = one["metadata"]
        key = (kind.group, kind.name, meta["namespace"], meta["name"])
        resource = resources.get(kind)
        if resource is None:
            hindered[key] = f"the cluster does not serve {kind.name} of {kind.group}: is {mesh} installed?"
        version = resource.api_version if resource else str(one["apiVersion"])
        made = _wanted(key, mesh, one, version, owners(str(meta["annotations"][SOURCE])))
        before = known.get(key)
        found[key] = before if before == made else made
    return found, hindered


def _wanted(key: Key, mesh: str, one: dict[str, Any], version: str, owners: list[dict[str, Any]]) -> Wanted:
    meta = one["metadata"]
    source = str(meta["annotations"][SOURCE])
    made = {**one, "apiVersion": version, "metadata": {**meta, "labels": {**meta["labels"], MESH: mesh}}}
    if owners and len(owners) <= _MOST_OWNERS:
        made["metadata"]["ownerReferences"] = owners
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    made["metadata"]["annotations"] = {SOURCE: source, HASH: digest}
    subjects = tuple(source.split(", "))
    named = [found for text in subjects if (found := subject_name(text))]
    return Wanted(key, made, subjects, digest, tuple((kind, id.namespace, id.name) for kind, id in named))


def plan(
    wanted: dict[Key, Wanted],
    hindered: dict[Key, str],
    there: Mapping[Key, Seen],
    mesh: str,
    accepted: Mapping[Key, Any],
    memory: Memory | None = None,
) -> Plan:
    """What to do. `there` are all objects of the kinds that are written, anybody's; `accepted` is what the server made
    of what was applied before, so that its defaults are not taken for somebody's change.
    """
    made = Plan(wanted, hindered=dict(hindered))
    for key, why in rivals(wanted, there):
        made.hindered.setdefault(key, why)
    known = memory.settled if memory else {}
    settled: dict[Key, tuple[Seen, Wanted]] = {}
    for key, one in wanted.items():
        if key in made.hindered:
            continue
        live = there.get(key)
        before = known.get(key)
        if live is None:
            made.apply.append(one)
        elif before and before[0] is live and before[1] is one:
            settled[key] = before
        elif not is_ours(live, mesh):
            made.hindered[key] = f"{one.name} is there and is not ours: it is left as it is"
        elif live.object.annotations.get(HASH) != one.hash:
            made.apply.append(one)
        elif not as_applied(live, one, accepted.get(key)):
            made.apply.append(one)
            made.corrected.append(one)
        else:
            settled[key] = (live, one)
    if memory:
        memory.settled = settled
    made.prune = [
        key for key, live in there.items() if (key not in wanted or _is_rivalled(made, key)) and is_ours(live, mesh)
    ]
    return made


def _is_rivalled(made: Plan, key: Key) -> bool:
    """Ours that stands beside a user's object for the same thing: the user's counts."""
    return key in made.hindered


def is_ours(live: Seen, mesh: str) -> bool:
    """Applied by our field manager, for this mesh. Labels alone are no proof: they are copied with an object."""
    return live.ours and live.object.labels.get(MESH) == mesh


def as_applied(live: Seen, one: Wanted, accepted: Any) -> bool:
    """Whether the object still says what was applied."""
    spec = live.object.content.get("spec")
    same = spec == accepted if accepted is not None else covers(spec, one.content.get("spec"))
    labels = one.content["metadata"]["labels"]
    return same and all(live.object.labels.get(name) == value for name, value in labels.items())


def covers(live: Any, wanted: Any) -> bool:
    """Whether all of what is wanted is there as it should be; a server's defaults may stand beside it."""
    if isinstance(wanted, dict):
        there = live if isinstance(live, dict) else {}
        return all(covers(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(covers(a, b) for a, b in zip(live, wanted, strict=True))
        )
    return bool(live == wanted)


def subject_name(subject: str) -> tuple[str, Name] | None:
    """`TrafficSplit shop/s` as kind and name; None for what is no resource."""
    kind, _, name = subject.partition(" ")
    namespace, slash, name = name.partition("/")
    return (kind, Name(namespace, name)) if slash and " " not in name else None


def subjects_of(text: str) -> Iterable[str]:
    """The resources that a finding is about."""
    return [part for part in text.split(", ") if subject_name(part)]
