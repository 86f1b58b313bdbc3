"""Components compiled and checked alone come to what the whole comes to, for each mesh."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.mesh.checking import check_resources
from pilothouse.mesh.compiling import TARGETS, compile_to
from pilothouse.mesh.compiling.components import components
from pilothouse.mesh.compiling.targets import compile_alone, denying
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.model import (
    Backend,
    Configuration,
    IdentityBinding,
    IdentityRef,
    Name,
    Rule,
    Service,
    ServicePort,
    TrafficSplit,
    TrafficTarget,
    Workload,
)
from pilothouse.mesh.reading.surroundings import with_accounts
from tests.mesh import strategies

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))
NAMES = ("a", "b", "c", "d", "e")
# A Service and an account of one name, labels that also select others' pods, pods that are found by no Service.
LABELS = st.sets(st.sampled_from((("app", "a"), ("app", "b"), ("tier", "web"), ("tier", "db"))), max_size=2).map(
    lambda found: tuple(sorted(dict(found).items()))
)
PORTS = st.sampled_from(
    (
        (ServicePort(80, 8080, "http", "http"),),
        (ServicePort(80, 8080, "tcp", "tcp"), ServicePort(81, 8081, "http", "http")),
        (ServicePort(80, 8081, "http", "http"),),
    )
)
REFS = st.one_of(
    st.builds(
        lambda space, name: IdentityRef("ServiceAccount", Name(space, name)),
        st.sampled_from(("shop", "jobs")),
        st.sampled_from(NAMES),
    ),
    st.sampled_from(("one", "two", "pods", "missing")).map(
        lambda name: IdentityRef("IdentityBinding", Name("shop", name))
    ),
)


@st.composite
def crowded(draw: st.DrawFn) -> Configuration:
    """Few names in two namespaces, so that much is shared; the groups and routes are those of `strategies`."""
    made = draw(strategies.configurations())
    made.splits, made.targets, made.services, made.workloads = {}, {}, {}, {}
    made.add(IdentityBinding(Name("shop", "pods"), pod_labels=draw(LABELS)))
    for space in ("shop", "jobs"):
        for name in NAMES:
            if draw(st.booleans()):
                made.services[Name(space, name)] = Service(Name(space, name), draw(PORTS), draw(LABELS))
            if draw(st.booleans()):
                pods = Workload(Name(space, name), draw(LABELS), draw(st.sampled_from(NAMES)))
                made.workloads[pods.id] = pods
    with_accounts(made)
    for number in range(draw(st.integers(0, 5))):
        id, name = Name(draw(st.sampled_from(("shop", "jobs"))), f"s{number}"), st.sampled_from(NAMES)
        backends = draw(st.lists(st.builds(Backend, name, st.integers(1, 5)), min_size=1, max_size=2))
        matches = tuple(draw(st.lists(st.sampled_from(("g1", "g2", "missing")), max_size=1)))
        made.add(TrafficSplit(id, draw(name), tuple(backends), matches))
    for number in range(draw(st.integers(0, 5))):
        to = draw(REFS)
        rules: list[Rule] = draw(st.lists(strategies.rules, min_size=1, max_size=2))
        sources = draw(st.lists(REFS, min_size=1, max_size=2, unique=True))
        made.add(TrafficTarget(Name(to.id.namespace, f"t{number}"), to, tuple(sources), tuple(rules)))
    return made


def told(findings: list[Finding]) -> list[str]:
    return sorted(repr(replace(finding, place=None)) for finding in findings)


@pytest.mark.parametrize("target", TARGETS)
@given(crowded())
@settings(max_examples=200 if THOROUGH else 12, deadline=None)
def test_the_parts_come_to_the_whole(target: str, configuration: Configuration) -> None:
    whole = compile_to(target, configuration)
    parts = [one.configuration() for one in components(configuration)]
    compiled = [compile_alone(target, part) for part in parts]
    objects = [*denying(target, configuration), *(made for part in compiled for made in part.objects)]
    assert sorted(map(json.dumps, objects)) == sorted(map(json.dumps, whole.objects))
    assert told([found for part in compiled for found in part.findings]) == told(whole.findings)
    assert told([found for part in parts for found in check_resources(part)]) == told(check_resources(configuration))
    # What is said on one resource is said in the same order.
    for subject in {found.subject for found in whole.findings}:
        mine = [found for part in compiled for found in part.findings if found.subject == subject]
        assert mine == [found for found in whole.findings if found.subject == subject]


def test_what_has_nothing_in_common_is_apart() -> None:
    made = Configuration()
    for name in NAMES:
        made.add(TrafficSplit(Name("shop", name), name, (Backend(f"{name}-v1", 1),), ("g",)))
        to = IdentityRef("ServiceAccount", Name("shop", name))
        caller = IdentityRef("ServiceAccount", Name("shop", "a"))
        made.add(TrafficTarget(Name("shop", name), to, (caller,), (Rule("HTTPRouteGroup", "g"),)))
    assert [[split.service for split in one.splits] for one in components(made)] == [[name] for name in NAMES]
