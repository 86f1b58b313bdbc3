"""What is looked at next, and what of a cluster belongs together."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given, settings

from pilothouse.kube import KubeObject
from pilothouse.mesh.compiling import Options, compile_to
from pilothouse.mesh.controlling import pending as module
from pilothouse.mesh.controlling.kinds import WRITTEN
from pilothouse.mesh.controlling.parts import Part, Parts, joined, read_part
from pilothouse.mesh.controlling.pending import Pending
from pilothouse.mesh.controlling.watching import Seen
from pilothouse.mesh.model import Configuration, Name, TrafficTarget
from pilothouse.mesh.reading import Reading
from tests.mesh import strategies

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))

BINDING = {
    "apiVersion": "access.smi-spec.io/v1alpha4", "kind": "IdentityBinding",
    "metadata": {"name": "web", "namespace": "front"}, "spec": {"schemes": {"serviceAccount": "web"}},
}  # fmt: skip


def taken(pending: Pending, known: tuple[str, ...] = ()) -> list[str]:
    found = []
    while (part := pending.take(lambda: known)) is not None:
        found.append(part)
    return found


def test_what_a_person_changed_goes_first_and_nothing_twice() -> None:
    pending = Pending()
    for part in ("b", "a", "b"):
        pending.note(part)
    pending.note("c", urgent=True)
    pending.note("a", urgent=True)
    assert pending.pressing
    assert len(pending) == 3
    assert taken(pending) == ["c", "a", "b"]
    assert not pending
    assert not pending.wait(0.001)


def test_all_parts_are_looked_at_when_it_may_matter_to_all() -> None:
    pending = Pending()
    pending.note("b")
    pending.note_all()
    assert pending.wait(0)
    assert taken(pending, ("a", "b", "c")) == ["b", "a", "c"]


def test_nothing_waits_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = Pending()
    pending.note("long ago")
    monkeypatch.setattr(module, "_PATIENCE", -1.0)
    pending.note("now", urgent=True)
    assert taken(pending) == ["long ago", "now"]


def moved(configuration: Configuration, namespace: str) -> Configuration:
    """The same in another namespace, its targets' sources where they were."""
    made = Configuration()
    for name in Configuration.__slots__:
        for id, one in getattr(configuration, name).items():
            id = Name(namespace, id.name) if id.namespace == strategies.SHOP else id
            one = replace(one, id=id)
            if isinstance(one, TrafficTarget):
                own = Name(namespace, one.destination.id.name)
                one = replace(one, destination=replace(one.destination, id=own))
            getattr(made, name)[id] = one
    return made


@given(strategies.configurations(), strategies.configurations())
@settings(max_examples=100 if THOROUGH else 6, deadline=None)
def test_parts_make_together_what_the_whole_makes(one: Configuration, other: Configuration) -> None:
    whole = joined([Part(Reading(configuration), []) for configuration in (one, moved(other, "second"))]).configuration
    for mesh in WRITTEN:
        of = Parts(mesh).of
        objects, findings = [], []
        for part in sorted({of(("", "", id.namespace, "")) for id in (*whole.services, *whole.targets)}):
            alone = Configuration()
            for name in Configuration.__slots__:
                known = getattr(whole, name).items()
                getattr(alone, name).update(
                    (id, it) for id, it in known if name == "bindings" or of(("", "", id.namespace, "")) == part
                )
            made = compile_to(mesh, alone, Options())
            objects += made.objects
            findings += made.findings
        expected = compile_to(mesh, whole, Options())
        assert sorted(map(repr, objects)) == sorted(map(repr, expected.objects))
        assert sorted(map(repr, findings)) == sorted(map(repr, expected.findings))


def test_bindings_of_other_namespaces_are_known_and_matter_to_all() -> None:
    seen = Seen(KubeObject(BINDING), False, "1")
    assert Parts("istio").reached_by_read(seen) is None
    reading = read_part({}, {seen.object.key: seen})
    assert list(reading.configuration.bindings) == [Name("front", "web")]
    assert not reading.sources


def test_a_users_object_matters_where_its_host_is() -> None:
    virtual = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
               "metadata": {"name": "v", "namespace": "a"},
               "spec": {"hosts": ["cart.shop.svc.cluster.local", "own"]}}  # fmt: skip
    one = Seen(KubeObject(virtual), False, "1")
    assert set(Parts("istio").reached_by_written(one) or ()) == {"shop", "a"}
    assert not Parts("istio").reached_by_written(Seen(one.object, True, "1"))
