"""The schedule against a small reference: random graphs, failures, ignored errors, skips, stops."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.delivery.pipelines.graph import GraphError, build
from pilothouse.delivery.pipelines.runs import scheduling
from pilothouse.delivery.pipelines.runs.scheduling import Schedule, State


@dataclass
class Case:
    """A pipeline and what will happen to each of its tasks."""

    parents: dict[str, list[str]]
    final: list[str]
    ends: dict[str, State]
    reasons: dict[str, str]
    stop_after: int | None
    seed: int = 0
    order: list[str] = field(default_factory=list)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = draw(st.integers(1, 12))
    names = [f"t{index}" for index in range(size)]
    parents = {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=3)) if index else []
        for index, name in enumerate(names)
    }
    final = [f"f{index}" for index in range(draw(st.integers(0, 2)))]
    ends = {
        name: draw(st.sampled_from([State.SUCCEEDED] * 5 + [State.FAILED, State.IGNORED])) for name in [*names, *final]
    }
    reasons = {
        name: draw(st.sampled_from([""] * 5 + [scheduling.WHEN, scheduling.MISSING, scheduling.EMPTY_MATRIX]))
        for name in [*names, *final]
    }
    return Case(parents, final, ends, reasons, draw(st.none() | st.integers(0, 5)), draw(st.integers(0, 1000)))


def reference(case: Case) -> tuple[dict[str, State], dict[str, str]]:
    """The rules, said once more as directly as possible: one task at a time, in rounds, nothing remembered."""
    states = dict.fromkeys([*case.parents, *case.final], State.WAITING)
    skipped: dict[str, str] = {}
    chooser = random.Random(case.seed)
    stopping, ended = "", 0
    running: list[str] = []
    while True:
        for name in case.parents:
            over = all(
                states[parent] in (State.SUCCEEDED, State.IGNORED, State.SKIPPED) for parent in case.parents[name]
            )
            if states[name] is not State.WAITING or not (over or stopping):
                continue
            blocked = [
                parent for parent in case.parents[name] if skipped.get(parent, scheduling.WHEN) != scheduling.WHEN
            ]
            if stopping:
                reason = stopping
            elif case.reasons[name] == scheduling.WHEN:
                reason = scheduling.WHEN
            elif blocked:
                reason = scheduling.PARENT
            else:
                reason = case.reasons[name]
            if reason:
                states[name], skipped[name] = State.SKIPPED, reason
            else:
                states[name] = State.RUNNING
                running.append(name)
        if not running:
            if all(states[name] is not State.WAITING for name in case.parents):
                break
            continue
        name = running.pop(chooser.randrange(len(running)))
        states[name] = case.ends[name]
        ended += 1
        if case.ends[name] is State.FAILED:
            stopping = stopping or scheduling.STOPPING
        if ended == case.stop_after:
            stopping = stopping or scheduling.STOPPED
    for name in case.final:
        if case.reasons[name]:
            states[name], skipped[name] = State.SKIPPED, case.reasons[name]
        else:
            states[name] = case.ends[name]
    return states, skipped


def ours(case: Case) -> tuple[dict[str, State], dict[str, str]]:
    graph = build([{"name": name, "runAfter": parents} for name, parents in case.parents.items()])
    schedule = Schedule(graph, case.final, case.reasons.__getitem__)
    chooser = random.Random(case.seed)
    running: list[str] = []
    ended = 0
    while True:
        # Tasks that start together are put in the order of the pipeline, as the reference has them.
        names = list(schedule.states)
        started = sorted(schedule.advance(), key=names.index)
        for name in started:
            done = [
                parent
                for parent in case.parents.get(name, [])
                if schedule.states[parent] not in (State.SUCCEEDED, State.IGNORED, State.SKIPPED)
            ]
            assert not done, f"{name} started before {done}"
        running += started
        if schedule.done and not running:
            return schedule.states, schedule.skipped
        name = running.pop(chooser.randrange(len(running)) if name_in(running, case) else 0)
        schedule.settle(name, case.ends[name])
        ended += name in case.parents
        if ended == case.stop_after and name in case.parents:
            schedule.stop(scheduling.STOPPED)


def name_in(running: list[str], case: Case) -> bool:
    return running[0] in case.parents


@settings(max_examples=4000 if os.environ.get("PILOTHOUSE_THOROUGH") else 150, deadline=None)
@given(cases())
def test_same_as_the_reference(case: Case) -> None:
    assert ours(case) == reference(case)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=3), min_size=1))
def test_circles_and_missing_tasks_are_found(edges: dict[str, list[str]]) -> None:
    tasks = [{"name": name, "runAfter": after} for name, after in edges.items()]

    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            one == goal or (one not in seen and reaches(one, goal, seen | {one})) for one in edges.get(start, [])
        )

    bad = any(one not in edges for after in edges.values() for one in after) or any(
        reaches(name, name) for name in edges
    )
    try:
        build(tasks)
        found = False
    except GraphError:
        found = True
    assert found == bad


def test_halt_starts_nothing_more() -> None:
    schedule = Schedule(build([{"name": "a"}, {"name": "b", "runAfter": ["a"]}]), ["f"], lambda name: "")
    assert schedule.advance() == ["a"]
    schedule.halt(scheduling.CANCELLED)
    schedule.settle("a", State.CANCELLED)
    assert schedule.advance() == []
    assert schedule.done
    assert schedule.states["f"] is State.WAITING
