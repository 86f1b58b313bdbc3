"""Who did it: the function whose cost moved, and not one that it was only moved to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.releases.both import Both
from pilothouse.releases.deciding import settle
from pilothouse.releases.finding import Finding
from pilothouse.releases.profiles import Costs, Function, explain, judge
from pilothouse.releases.profiles.judging import TOTAL
from pilothouse.releases.profiles.reading import read
from pilothouse.releases.profiles.types import badness, chosen, is_level, period
from pilothouse.releases.ranking import ranked
from pilothouse.releases.rules import Rules
from pilothouse.releases.siding import stage
from pilothouse.releases.traces.operation import ERROR_SHARES
from pilothouse.releases.trial import Side, Trial
from pilothouse.releases.window import Windows
from tests.releases.conftest import CANARY

Stacks = dict[str, tuple[float, float]]


def trial() -> Trial:
    span = Windows(0, 60_000_000_000, 20)
    sides = [Side(name, span, {1: 0}, {1: "a"}, np.full(20, 600.0)) for name in ("1", "2")]
    return Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())


def costs(stacks: Stacks, replicates: int = 8, seed: int = 1) -> Costs:
    """Stacks written `root;...;leaf` with the samples per replicate of both sides."""
    random = np.random.default_rng(seed)
    names = sorted({name for stack in stacks for name in stack.split(";")})
    frames = [[names.index(name) for name in stack.split(";")[::-1]] for stack in stacks]
    sides = [
        random.poisson(np.array([cost[side] for cost in stacks.values()])[:, None], (len(stacks), replicates))
        for side in (0, 1)
    ]
    return Costs(
        type="cpu", unit="ns", per_sample=1e7, bad="up", level=False,
        functions=tuple(Function(name, "app.py") for name in names),
        frames=np.array([one for frame in frames for one in frame]),
        starts=np.cumsum([0, *(len(frame) for frame in frames)]),
        samples=Both(sides[0].astype(float), sides[1].astype(float)),
        exposures=Both(np.full(replicates, 100.0), np.full(replicates, 100.0)),
        seconds=Both(np.full(replicates, 10.0), np.full(replicates, 10.0)),
    )  # fmt: skip


def findings(stacks: Stacks) -> list[Finding]:
    held = [one for one in judge([costs(stacks)], trial()) if one.p_value < 1e-5 and one.material and one.lasting]
    return explain([(one, one.p_value) for one in held], trial())


def test_the_deepest_function_that_holds_the_change_is_named() -> None:
    found = findings(
        {
            "main;serve;checkout;price": (100, 100),
            "main;serve;checkout;slow;hash": (1, 150),
            "main;serve;checkout;slow;copy": (1, 150),
            "main;serve;list": (200, 200),
        }
    )
    assert [(one.subject, one.direction) for one in found] == [("slow", "worse")]
    assert found[0].detail["ancestor"] in ("checkout", "serve", "main")
    assert found[0].examples[0].startswith("main;serve;checkout;slow;")


def test_a_cost_that_grew_manyfold_is_not_put_down_to_all_that_calls_it() -> None:
    """Beside it the little that its callers had before is next to nothing, and what they added little more."""
    found = findings(
        {
            "main;app;checkout;discount;try_all": (0, 150),
            "main;app;checkout;render": (5, 15),
            "main;app;parse": (4, 14),
        }
    )
    assert (found[0].subject, found[0].direction) == ("try_all", "worse")


def test_a_doubted_function_says_where_in_a_moved_one_the_change_lies_and_nothing_by_itself() -> None:
    tests = judge([costs({"main;serve;checkout;hash": (20, 150), "main;serve;list": (200, 200)})], trial())
    sure = [(one, one.p_value) for one in tests if one.p_value < 1e-5 and one.material and one.lasting]
    told, doubted = ([one for one in sure if (one[0].subject == "hash") is below] for below in (False, True))
    assert [one.subject for one in explain(told, trial())] != ["hash"]
    assert [one.subject for one in explain(told, trial(), doubted)] == ["hash"]
    assert explain([], trial(), doubted) == []


def test_two_causes_are_two_findings() -> None:
    found = findings(
        {
            "main;serve;a;burn": (5, 200),
            "main;serve;b;churn": (5, 120),
            "main;serve;c": (200, 200),
        }
    )
    assert {one.subject for one in found if one.direction == "worse"} == {"burn", "churn"}


def test_a_refactoring_is_not_a_regression() -> None:
    found = findings(
        {
            "main;serve;checkout;old_name": (300, 0),
            "main;serve;checkout;new_name": (0, 300),
            "main;serve;list": (300, 300),
        }
    )
    assert {one.direction for one in found} == {"moved"}
    assert any("cost moved to new_name (app.py) within checkout" in one.title for one in found)


def test_a_cheaper_function_is_better() -> None:
    found = findings({"main;serve;parse": (300, 60), "main;serve;list": (100, 100)})
    assert [(one.subject, one.direction) for one in found] == [("parse", "better")]
    assert "takes less cpu" in found[0].title


def test_everything_a_bit_dearer_is_told_as_such() -> None:
    stacks = {f"main;serve;f{n}": (20.0, 48.0) for n in range(40)}
    found = findings(stacks)
    assert found
    assert found[0].direction == "worse"
    assert found[0].subject in ("main", "serve", "all functions")


def test_recursion_counts_once() -> None:
    one = costs({"main;f;f;f": (50, 50), "main;g": (50, 50)})
    place = [function.name for function in one.functions].index("f")
    assert one.total(one.samples.baseline)[place] == pytest.approx(one.samples.baseline[0])


def test_the_same_is_not_told() -> None:
    assert findings({f"main;serve;f{n}": (20.0, 20.0) for n in range(60)}) == []


def test_profiles_of_what_a_process_holds_are_one_sample() -> None:
    """Twenty places that hold 20 MB each, noted once in 512 KiB: the same forty blocks in each of thirty profiles."""
    names = {f"main;serve;f{n}": (1.0, 1.0) for n in range(20)}
    told = {True: 0, False: 0}
    for seed in range(10):
        random = np.random.default_rng(seed)
        samples = [np.repeat(random.poisson(40.0, (20, 1)), 30, axis=1).astype(float) for _ in range(2)]
        exposures = Both(np.ones(30), np.ones(30))
        same = replace(costs(names, 30), level=True, samples=Both(samples[0], samples[1]), exposures=exposures)
        for once in told:
            found = judge([same.once(Both(1, 1)) if once else same], trial())
            told[once] += sum(one.p_value < 1e-4 and one.material for one in found)
    assert told[False] > 0
    assert told[True] == 0
    more = replace(same, samples=Both(same.samples.baseline, same.samples.baseline * 3)).once(Both(1, 1))
    assert float(more.exposures.candidate.sum()) == 1
    assert all(one.p_value < 1e-4 for one in judge([more], trial()) if one.subject in ("serve", "main"))


def test_few_samples_say_nothing() -> None:
    assert judge([costs({"main;f": (2, 5)}, replicates=3)], trial()) == []


def test_costs_are_read_per_request(shop: Engine) -> None:
    staged, _ = stage(shop, "checkout", Both("1.0.0", "2.0.0"), CANARY)
    (found,) = read(shop, staged)
    assert found.type == "cpu"
    assert found.per_sample == 1e7
    assert {one.name for one in found.functions} >= {"main", "serve", "checkout", "price", "combine"}
    # The path differs between versions, the file does not.
    assert {one.file for one in found.functions} == {"shop.py"}
    per_request = [
        side.sum() / exposure.sum() * 0.01 for side, exposure in zip(found.samples, found.exposures, strict=True)
    ]
    assert per_request == pytest.approx([0.015, 0.027], rel=0.15)


def test_types() -> None:
    assert chosen({"cpu", "samples", "inuse_space", "inuse_objects", "wall"}) == ["cpu", "inuse_space", "wall"]
    assert chosen({"process_cpu:samples", "process_cpu:cpu"}) == ["process_cpu:cpu"]
    assert chosen({"samples"}) == ["samples"]
    assert is_level("inuse_space")
    assert not is_level("alloc_space")
    assert (badness("cpu"), badness("alloc_space"), badness("wall")) == ("up", "up", "neither")
    assert (period(0, "ns"), period(5_000_000, "ns"), period(0, "By"), period(1, "1")) == (1e7, 5e6, 524288.0, 1.0)


def test_few_samples_do_not_outweigh_unequal_traffic() -> None:
    """A background thread: eight samples and thirteen, of nineteen times the requests: x31 per request, by chance."""
    span = Windows(0, 60_000_000_000, 20)
    sides = [Side(name, span, {1: 0}, {1: "a"}, np.full(20, each)) for name, each in (("1", 95.0), ("2", 5.0))]
    unequal = Trial("checkout", "canary", Both(sides[0], sides[1]), Rules())

    def doubted(samples: tuple[float, float]) -> bool:
        found = costs({"main;work": (190.0, 20.0), "main;send": samples}, replicates=4)
        exposed = Both(np.full(4, 475.0), np.full(4, 25.0))
        tests = judge([replace(found, exposures=exposed)], unequal)
        return next(one for one in tests if one.subject.startswith("send")).doubtful

    assert doubted((2.0, 3.3))
    assert not doubted((20.0, 2000.0))


def test_where_the_traffic_shows_how_costs_go_with_it_a_dearer_function_is_told() -> None:
    """Under six tenths of the traffic: what is there without requests looks dearer, and what became dearer is."""
    span = Windows(0, 600_000_000_000, 20)
    sides = [Side(one, span, {1: 0}, {1: "a"}, np.full(20, each)) for one, each in (("1", 1000.0), ("2", 600.0))]
    unequal = Trial("checkout", "canary", Both(*sides), Rules())
    replicates, random = 30, np.random.default_rng(2)
    shape = np.exp(random.normal(0, 0.3, replicates))
    costs_of = {"main;work": (2000.0, 1200.0), "main;sum": (400.0, 480.0), "main;send": (400.0, 400.0)}
    found = costs(costs_of, replicates=replicates)
    follows = np.array([shape, shape, np.ones(replicates)])
    samples = [
        random.poisson(np.array([each[side] for each in costs_of.values()])[:, None] * follows).astype(float)
        for side in (0, 1)
    ]
    exposed = [shape * 20 * each / replicates for each in (1000.0, 600.0)]
    unequally = replace(found, samples=Both(*samples), exposures=Both(*exposed))
    tests = judge([unequally], unequal)
    settled = settle(tests, Rules())
    assert {one.subject for one, _ in settled.held["profiles"] if one.rising} == {"sum"}
    assert "send" in {one.subject for one, _ in settled.doubted["profiles"] if one.rising}
    seen = [
        next(one for one in judge([unequally], each) if one.subject == TOTAL).smallest_effect(0.01) or 0.0
        for each in (unequal, trial())
    ]
    assert seen[0] > seen[1] > 0, "what could have been seen is less where the traffic differs"


def test_costs_of_too_few_requests_tell_nothing_where_the_traffic_is_unlike() -> None:
    """44 requests at a twentieth of the traffic: what sends the telemetry takes all of the process' time there."""
    span = Windows(0, 60_000_000_000, 20)

    def doubted(requests: float, name: str) -> bool:
        sides = [Side(one, span, {1: 0}, {1: "a"}, np.full(20, each)) for one, each in (("1", 42.0), ("2", requests))]
        found = costs({"main;work": (190.0, 10.0), "main;send": (20.0, 200.0)}, replicates=4)
        tests = judge([replace(found, type=name, level=name != "cpu")], Trial("", "canary", Both(*sides), Rules()))
        return next(one for one in tests if one.subject.startswith("send")).doubtful

    assert doubted(2.2, "cpu")
    assert not doubted(2.2, "inuse_space"), "what is held is not counted by requests"
    assert not doubted(40.0, "cpu"), "the traffic is nearly the same"


def test_what_traffic_makes_of_a_fixed_cost_does_not_outrank_errors() -> None:
    """Beyond a twentyfold of a fixed cost by a twentieth of the traffic only little is left to be told first by."""
    span = Windows(0, 600_000_000_000, 20)
    sides = [Side(one, span, {1: 0}, {1: "a"}, np.full(20, each)) for one, each in (("1", 2000.0), ("2", 100.0))]
    unequal = Trial("checkout", "canary", Both(*sides), Rules())
    found = costs({"main;work": (2000.0, 100.0), "main;send": (100.0, 240.0)}, replicates=30)
    exposed = Both(np.full(30, 40_000 / 30), np.full(30, 2_000 / 30))
    tests = judge([replace(found, exposures=exposed)], unequal)
    (send,) = explain([(one, 0.001) for one in tests if one.subject.startswith("send")][:1], unequal)
    failing = replace(send, signal="traces", measure=ERROR_SHARES[0], change=2.0, subject="POST /checkout")
    assert send.detail["share"] > 1 > send.detail["beyond_traffic"]
    assert [one.subject for one in ranked([send, failing])] == ["POST /checkout", send.subject]
