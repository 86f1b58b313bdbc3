"""A look that remembers the last one comes to what a look without a memory comes to."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.kube import KubeObject, parse
from pilothouse.kube.discovering import Resource
from pilothouse.mesh.compiling import Options
from pilothouse.mesh.controlling.kinds import WRITTEN
from pilothouse.mesh.controlling.making import made_of
from pilothouse.mesh.controlling.parts import read_part
from pilothouse.mesh.controlling.planning import Plan, plan
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.telling import Teller
from pilothouse.mesh.controlling.watching import MANAGER, Key, Seen, _seen
from tests.mesh.test_api import SHOP

THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))

FIRST = {one.key: one.content for one in parse(SHOP, "shop.yaml").objects}
CHANGES = st.lists(st.tuples(st.sampled_from(sorted(FIRST)), st.integers(0, 3)), max_size=4)
Rows = list[tuple[Seen, list[dict[str, Any]]]]


class Said:
    """Takes what a teller would write."""

    put_off = False

    def __init__(self) -> None:
        self.rows: Rows = []

    def conditions(self, rows: Rows) -> None:
        self.rows = rows

    def each(self, tell: Any, rows: Any) -> None:
        """Events are not looked at here."""


def seen(content: dict[str, Any], version: int, ours: bool = False) -> Seen:
    meta = {**content["metadata"], "uid": f"{content['kind']} {content['metadata']['name']}", "generation": version,
            "resourceVersion": str(version)}  # fmt: skip
    if ours:
        meta["managedFields"] = [{"manager": MANAGER, "operation": "Apply"}]
    return _seen(KubeObject({**content, "metadata": meta}))


def looked(mesh: str, there: dict[Key, Seen], written: dict[Key, Seen], memory: Memory) -> tuple[Plan, Rows]:
    """What is to be done, and to be said."""
    served = {kind: Resource(kind.group, "v1", kind.name, kind.name, True, frozenset()) for kind in WRITTEN[mesh]}
    reading = read_part(there, {}, memory)
    wanted = made_of(reading, mesh, Options(), served, memory)
    made = plan(wanted.wanted, wanted.unserved, written, mesh, {}, memory)
    said = Said()
    Teller(said, mesh).tell(reading, [*wanted.findings, *wanted.losses], made, {}, there, memory)  # type: ignore[arg-type]
    return made, said.rows


@pytest.mark.parametrize("mesh", ["istio", "consul"])
@given(st.lists(CHANGES, min_size=1, max_size=4))
@settings(max_examples=100 if THOROUGH else 4, deadline=None)
def test_a_memory_changes_nothing_but_the_time(mesh: str, steps: list[list[tuple[Key, int]]]) -> None:
    there = {key: seen(content, 1) for key, content in FIRST.items()}
    written: dict[Key, Seen] = {}
    memory = Memory()
    for number, step in enumerate(steps, 2):
        made, rows = looked(mesh, there, written, memory)
        fresh, said = looked(mesh, there, written, Memory())
        assert made == fresh
        assert [(str(one.object), [row["message"] for row in now]) for one, now in rows] == [
            (str(one.object), [row["message"] for row in now]) for one, now in said
        ]
        # What is asked for is done; then somebody changes, removes or brings back resources, or our objects.
        written = {key: found for key, found in written.items() if key not in made.prune}
        written |= {one.key: seen(one.content, number, ours=True) for one in made.apply}
        there |= {one.object.key: replace(one, conditions=tuple(now)) for one, now in rows}
        for key, kind in step:
            if kind == 0:
                there.pop(key, None)
            elif kind == 1:
                there[key] = seen(FIRST[key], number)
            elif kind == 2 and written:
                drifted = sorted(written)[len(key[3]) % len(written)]
                content = written[drifted].object.content
                written[drifted] = seen({**content, "spec": {"drifted": True}}, number, ours=True)
            elif key[1] == "TrafficSplit":
                weights = [{"service": "checkout-v1", "weight": number}]
                spec = {**FIRST[key]["spec"], "backends": weights}
                there[key] = seen({**FIRST[key], "spec": spec}, number)


def test_what_is_the_same_is_not_computed_again() -> None:
    there = {key: seen(content, 1) for key, content in FIRST.items()}
    memory = Memory()
    made, _ = looked("istio", there, {}, memory)
    written = {one.key: seen(one.content, 1, ours=True) for one in made.apply}
    again, _ = looked("istio", there, written, memory)
    assert not again.apply
    assert all(again.wanted[key] is one for key, one in made.wanted.items())
