"""A clean cluster, one field broken: exactly the right rule speaks.

`clean/manifests.yaml` is the cluster, `clean/mutations.yaml` has one mutation for each rule that looks at manifests or
at live objects.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilothouse.hazards.changing import check_change
from pilothouse.hazards.checking import Compiled, check_objects, check_world
from pilothouse.hazards.embedded import unfold
from pilothouse.hazards.examples import completed
from pilothouse.hazards.facts.world import World
from pilothouse.hazards.loading import own_rules
from pilothouse.kube.objects import KubeObject

CLEAN = Path(__file__).parent / "clean"
MUTATIONS: dict[str, dict[str, Any]] = yaml.load((CLEAN / "mutations.yaml").read_text(), yaml.CSafeLoader)
RULES = own_rules()
COMPILED = Compiled(RULES)
OF_MANIFESTS = sorted(rule.id for rule in RULES if rule.scope != "telemetry")


@cache
def clean() -> dict[str, KubeObject]:
    """The cluster's objects by kind, namespace and name."""
    found = {}
    for raw in yaml.load((CLEAN / "manifests.yaml").read_text(), yaml.CSafeLoader):
        one = KubeObject(completed(raw))
        key = "/".join(part for part in (one.kind, one.namespace, one.name) if part and part != "example")
        assert key not in found, key
        found[key] = one
    return found


def named(name: str) -> str:
    """The one object that is meant: the namespace may be left out where the name says enough."""
    kind, _, rest = name.partition("/")
    found = [key for key in clean() if key.split("/")[0] == kind and (not rest or key.endswith(f"/{rest}"))]
    assert len(found) == 1, (name, found)
    return found[0]


def mutated(mutation: dict[str, Any]) -> list[KubeObject]:
    """The cluster with the one field changed."""
    objects = dict(clean())
    key = named(mutation["in"])
    if not mutation["at"]:
        del objects[key]
        return list(objects.values())
    *above, last = [part.replace("\\", "") for part in re.split(r"(?<!\\)\.", mutation["at"])]
    content = copy.deepcopy(objects[key].content)
    place: Any = content
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    step = int(last) if isinstance(place, list) else last
    value = mutation.get("to")
    if "replace" in mutation:
        old, new = mutation["replace"]
        assert place[step].count(old) == 1
        value = place[step].replace(old, new)
    elif "fill" in mutation:
        value = "x" * mutation["fill"]
    if value is None:
        del place[step]
    else:
        assert isinstance(place, list) or place.get(step) != value
        place[step] = value
    objects[key] = KubeObject(content)
    return list(objects.values())


def services(count: int) -> list[KubeObject]:
    ports = [{"name": "http", "port": 80, "appProtocol": "http"}]
    return [
        KubeObject(completed({"kind": "Service", "metadata": {"name": f"more-{number}"}, "spec": {"ports": ports}}))
        for number in range(count)
    ]


def speak(objects: list[KubeObject], mutation: dict[str, Any]) -> set[str]:
    """The rules that find something in it."""
    minor = float(str(mutation.get("version") or "1.0").partition(".")[2])
    world = World([*objects, *unfold(objects)], minor, mutation.get("live") is True)
    found = check_objects([*objects, *unfold(objects)], COMPILED, world) + check_world(COMPILED, world)
    return {finding.rule.id for finding in found}


@pytest.mark.parametrize("live", [False, True], ids=["files", "live"])
def test_in_the_clean_cluster_no_rule_speaks(live: bool) -> None:
    assert speak(list(clean().values()), {"live": live, "version": "1.30"}) == set()
    assert speak([*clean().values(), *services(210)], {}) == set()


def test_every_rule_has_a_mutation() -> None:
    assert sorted(MUTATIONS) == OF_MANIFESTS


@pytest.mark.parametrize("name", OF_MANIFESTS)
def test_exactly_the_right_rule_speaks(name: str) -> None:
    mutation = MUTATIONS[name]
    objects = mutated(mutation)
    also = mutation.get("also", {})
    assert all(len(reason) > 20 for reason in also.values())
    if mutation.get("change"):
        before, after = list(clean().values()), objects
        if mutation.get("backwards"):
            before, after = after, before
        assert {finding.rule.id for finding in check_change(before, after, COMPILED)} == {name, *also}
        return
    more = services(mutation.get("services", 0))
    assert speak([*objects, *more], mutation) == {name, *also}
    assert not COMPILED.errors
