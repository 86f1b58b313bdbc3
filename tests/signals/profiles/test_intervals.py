"""A difference names what was planted first, and nothing when nothing was planted."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pilothouse.signals.profiles.asking import Costs
from pilothouse.signals.profiles.intervals import Changes, changes
from pilothouse.signals.profiles.replicates import Replicates
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed
from tests.thorough import THOROUGH

# Thirty functions below a root, each with a leaf stack of its own; shares fall off as in real programs.
COUNT = 30
SHARES = 1 / np.arange(1, COUNT + 1)
SHARES = SHARES / SHARES.sum()
PERIOD = 10_000_000


def program(
    seed: int, slower: float = 1.0, processes: int = 8, profiles: int = 180, together: float | None = None
) -> tuple[Replicates, Changes]:
    """Two releases sampled at 100 Hz for 10 s at a time; function 1 of the second takes `slower` times as long.

    Processes of the same code differ by one per cent in everything, and their load moves together over time; with
    `together` that of both releases does, by so much.
    """
    random = np.random.default_rng(seed)
    sides = []
    both = np.random.default_rng([seed, 1]).normal(1, together or 0.0, profiles)
    for factor in (1.0, slower):
        shares = SHARES.copy()
        shares[1] *= factor
        of_process = random.normal(1, 0.01, (COUNT, processes))
        load = np.clip(both * random.normal(1, 0.02, profiles), 0.3, 1.7)
        expected = (shares[:, None] * of_process)[:, :, None] * load * 500
        summed = random.poisson(expected).sum(axis=1).astype(float) * PERIOD
        sides.append(np.add.reduceat(summed, range(0, profiles, max(profiles // 60, 1)), axis=1))
    codes = np.array([code for function in range(COUNT) for code in (function, COUNT)])
    names = [(f"f{number}", "/a.go") for number in range(COUNT)] + [("main", "/a.go")]
    stacks = Costs(names, codes, codes, np.arange(0, 2 * COUNT + 1, 2), np.zeros((COUNT, 0), np.int64))
    covered = np.full(sides[0].shape[1], 10.0 * processes * max(profiles // 60, 1))
    of_both = (sides[0], sides[1]), (covered, covered), (processes, processes)
    measured = Replicates(stacks, *of_both, paired=together is not None)
    return measured, changes(measured)


def test_the_same_program_names_nothing_in_a_hundred_runs() -> None:
    """In the hundred of a thorough run, of which others are the first twenty."""
    named = [seed for seed in range(100 if THOROUGH else 20) if program(seed)[1].found.any()]
    assert named == []


@pytest.mark.parametrize("seed", range(10))
def test_a_function_five_per_cent_slower_is_named(seed: int) -> None:
    measured, found = program(seed, slower=1.05)
    moved = np.flatnonzero(found.found[:, 0])
    assert [measured.stacks.names[place][0] for place in moved] == ["f1"]
    true = SHARES[1] * 0.05 * 500 * PERIOD / 10
    assert found.low[1, 0] < true < found.high[1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_what_moves_both_sides_at_once_is_no_noise_of_their_difference(seed: int) -> None:
    measured, found = program(seed, slower=1.05, together=0.2)
    named = [measured.stacks.names[place][0] for place in np.flatnonzero(found.found[:, 0])]
    assert named == ["f1"]
    assert found.low[1, 0] < SHARES[1] * 0.05 * 500 * PERIOD / 10 < found.high[1, 0]
    assert not changes(replace(measured, paired=False)).found.any(), "at different times it would be noise"
    assert not program(seed, together=0.2)[1].found.any()


def test_intervals_shrink_with_more_profiles() -> None:
    few, many = (program(3, profiles=count)[1] for count in (5, 60))
    width = [(one.high - one.low)[1, 0] for one in (few, many)]
    assert width[1] < width[0]


def test_too_few_profiles_tell_nothing() -> None:
    found = program(1, slower=3.0, processes=1, profiles=2)[1]
    assert not found.enough
    assert not found.found.any()
    assert np.isinf(found.high).all()


def held(seed: int, more: float, processes: int) -> Changes:
    """Ten places that hold 20 MB each, every process' own sample of them (512 KiB) the same in all its 30 profiles."""
    random, grain = np.random.default_rng(seed), 512 * 1024
    sides = []
    for extra in (0.0, more):
        true = np.full(10, 20e6)
        true[4] += extra
        noted = random.poisson(true[:, None] / grain, (10, processes)).sum(axis=1) * grain
        sides.append(np.repeat(noted[:, None].astype(float), 30, axis=1))
    names = [(f"site{number}", "/a.go") for number in range(10)]
    stacks = Costs(names, np.arange(10), np.arange(10), np.arange(11), np.zeros((10, 0), np.int64))
    profiles = np.full(30, float(processes))
    measured = Replicates(stacks, (sides[0], sides[1]), (profiles, profiles), (processes, processes))
    return changes(measured, grain=(float(grain), float(grain)))


def test_what_sampling_adds_to_held_memory_is_no_finding() -> None:
    assert [seed for seed in range(100 if THOROUGH else 20) if held(seed, 0, 1 + seed % 4).found.any()] == []


def test_twenty_megabytes_more_are_beyond_what_sampling_adds() -> None:
    for seed in range(5):
        assert np.flatnonzero(held(seed, 20e6, 4).found[:, 0]).tolist() == [4]


def profile_of(service: str, version: str, pod: int, at: int, stacks: dict[str, int], kind: Any = None) -> Any:
    """A push of one profile."""
    builder = PprofBuilder(kind) if kind else PprofBuilder()
    for name, value in stacks.items():
        builder.add([(name, "/app/m.py", 5), ("main", "/app/m.py", 1)], value)
    builder.message.time_nanos = at
    return pushed(service, builder.bytes(), service_version=version, k8s_pod_name=f"{service}-{version}-{pod}")


def send(house: House, pushes: list[Any]) -> None:
    """All of them in one call."""
    whole = pushes[0]
    for push in pushes[1:]:
        whole.MergeFrom(push)
    assert house.client.post(PUSH, content=whole.SerializeToString(), headers=PROTO).is_success


def test_a_minute_of_profiles_within_a_long_range_is_enough(house: House) -> None:
    now, random = time.time_ns(), np.random.default_rng(3)
    pushes = []
    for version, work in (("1", 1000), ("2", 1500)):
        for turn in range(12):
            stacks = {"work": int(random.poisson(work)) * PERIOD, "rest": int(random.poisson(4000)) * PERIOD}
            pushes.append(profile_of("brief", version, 0, now - (15 - turn) * 5 * SECOND, stacks))
    send(house, pushes)
    house.wait_for("brief", "cpu", 24)
    answer = house.get("/api/profiles/diff", service="brief", baseline="1", candidate="2", since="1d")
    assert [one["function"] for one in answer["functions"] if one["self_found"]] == ["work"]


@pytest.fixture(scope="module")
def releases(house: House) -> House:
    """Three releases of four pods, 30 minutes of profiles; the third has f1 five per cent slower."""
    random, now = np.random.default_rng(7), time.time_ns()
    pushes = []
    for version, slower in (("1", 1.0), ("2", 1.0), ("3", 1.05)):
        for pod in range(4):
            for turn in range(30):
                shares = SHARES * np.where(np.arange(COUNT) == 1, slower, 1.0)
                counts = random.poisson(shares * 8000)
                stacks = {f"f{place}": int(count) * PERIOD for place, count in enumerate(counts) if count}
                pushes.append(profile_of("planted", version, pod, now - (32 - turn) * 60 * SECOND, stacks))
    send(house, pushes)
    house.wait_for("planted", "cpu", 360)
    return house


def test_the_api_names_what_was_planted_first(releases: House) -> None:
    asked = {"service": "planted", "baseline": "1", "since": "1h"}
    same = releases.get("/api/profiles/diff", candidate="2", **asked)
    assert same["found"] == 0, [one for one in same["functions"] if one["found"] or one["self_found"]]
    worse = releases.get("/api/profiles/diff", candidate="3", **asked)
    first = worse["functions"][0]
    assert (first["function"], first["self_found"]) == ("f1", True)
    low, high = first["self_interval"]
    assert 0 < low < first["candidate_self"] - first["baseline_self"] < high


def test_pods_apart_and_together_say_the_same(releases: House) -> None:
    """One pod of four is read from the samples, all four from the sums by minute."""
    asked = {"service": "planted", "since": "1h"}
    pods = '"planted-3-[012]"'
    some = releases.get("/api/profiles/diff", baseline="1", candidate=f"k8s_pod_name=~{pods}", **asked)
    assert some["functions"][0]["function"] == "f1"
    assert some["functions"][0]["self_found"]


def test_per_second_and_per_request(releases: House) -> None:
    asked = {"service": "planted", "baseline": "1", "candidate": "3", "since": "1h"}
    second = releases.get("/api/profiles/diff", per="second", **asked)
    whole = releases.get("/api/profiles/diff", **asked)
    first = [next(one for one in answer["functions"] if one["function"] == "f1") for answer in (second, whole)]
    assert first[0]["baseline_self"] * 1200 == pytest.approx(first[1]["baseline_self"])
    assert first[0]["self_interval"][0] * 1200 == pytest.approx(first[1]["self_interval"][0])
    share = releases.get("/api/profiles/diff", per="share", **asked)
    assert share["candidate_total"] == pytest.approx(share["baseline_total"])
    assert (share["functions"][0]["function"], share["functions"][0]["self_found"]) == ("f1", True)
    refused = releases.client.get("/api/profiles/diff", params={**asked, "per": "request"})
    assert refused.status_code == 400
    assert "no server spans" in refused.json()["error"]["message"]


def serve(house: House, service: str, requests: list[tuple[str, int, int]]) -> None:
    """So many server spans of a version at a time in nanoseconds, as if they had come in by the traces' door."""
    house.engine.command(
        "INSERT INTO resources SELECT identity, 'traces', attributes, kinds, first_seen, last_seen FROM resources "
        "WHERE signal = 'profiles' AND attributes['service.name'] = {service:String}",
        {"service": service},
    )
    for version, at, count in requests:
        house.engine.command(
            "INSERT INTO spans (identity, name, kind, time, duration, trace_id, span_id) SELECT identity, 'GET /', 2, "
            "fromUnixTimestamp64Nano({at:Int64}, 'UTC'), 1000, randomFixedString(16), randomFixedString(8) FROM ("
            "SELECT any(identity) AS identity FROM resources WHERE signal = 'traces' "
            "AND attributes['service.name'] = {service:String} AND attributes['service.version'] = {version:String}"
            ") AS one, numbers({count:UInt32}) AS many",
            {"service": service, "version": version, "at": at, "count": count},
        )


def test_load_that_comes_and_goes_is_no_noise_of_a_cost_per_request(house: House) -> None:
    """Requests differ sixfold from minute to minute, and each costs five per cent more in f1."""
    random, now = np.random.default_rng(11), time.time_ns()
    pushes, requests = [], []
    for version, slower in (("1", 1.0), ("2", 1.05)):
        for turn in range(15):
            at, many = now - (17 - turn) * 60 * SECOND, int(random.integers(40, 240))
            for pod in range(4):
                counts = random.poisson(SHARES * np.where(np.arange(COUNT) == 1, slower, 1.0) * many * 100)
                stacks = {f"f{place}": int(count) * PERIOD for place, count in enumerate(counts) if count}
                pushes.append(profile_of("uneven", version, pod, at, stacks))
            requests.append((version, at, many))
    send(house, pushes)
    house.wait_for("uneven", "cpu", 120)
    serve(house, "uneven", requests)
    asked = {"service": "uneven", "baseline": "1", "candidate": "2", "since": "1h"}
    assert house.get("/api/profiles/diff", per="second", **asked)["found"] == 0
    answer = house.get("/api/profiles/diff", per="request", **asked)
    assert [one["function"] for one in answer["functions"] if one["self_found"]] == ["f1"]
    first = answer["functions"][0]
    assert first["baseline_self"] == pytest.approx(SHARES[1] * 400 * PERIOD, rel=0.02)
    assert 0 < first["self_interval"][0] < SHARES[1] * 400 * PERIOD * 0.05 < first["self_interval"][1]
    of = {version: sum(many for other, _, many in requests if other == version) for version in "12"}
    assert (answer["baseline_requests"], answer["candidate_requests"]) == (of["1"], of["2"])


def test_twenty_megabytes_more_are_named_first(house: House) -> None:
    now, random = time.time_ns(), np.random.default_rng(5)
    pushes = []
    for version, more in (("1", 0), ("2", 20_000_000)):
        for turn in range(15):
            held = {f"site{place}": int(random.normal(30e6, 1e6)) for place in range(8)}
            held["site3"] += more
            at = now - (17 - turn) * 60 * SECOND
            pushes.append(profile_of("holds", version, 0, at, held, [("inuse_space", "bytes")]))
    send(house, pushes)
    house.wait_for("holds", "inuse_space", 30)
    asked = {"service": "holds", "baseline": "1", "candidate": "2", "type": "inuse_space"}
    answer = house.get("/api/profiles/diff", **asked)
    first = answer["functions"][0]
    assert (first["function"], first["self_found"]) == ("site3", True)
    assert first["self_interval"][0] < 20_000_000 < first["self_interval"][1]
    assert [one["function"] for one in answer["functions"] if one["self_found"]] == ["site3"]
    refused = house.client.get("/api/profiles/diff", params={**asked, "per": "second"})
    assert "is held, not spent" in refused.json()["error"]["message"]


@pytest.mark.parametrize(("parameter", "value"), [("per", "hour"), ("level", "2"), ("level", "much")])
def test_parameters_are_checked(house: House, parameter: str, value: str) -> None:
    asked = {"service": "x", "baseline": "1", "candidate": "2", parameter: value}
    response = house.client.get("/api/profiles/diff", params=asked)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == parameter
