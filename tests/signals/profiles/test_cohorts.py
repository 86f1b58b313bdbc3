"""Sums by minute answer for whole cohorts, the samples for parts of them, and both say the same."""

from __future__ import annotations

import time

import pytest

from pilothouse.signals.profiles.asking import costs, select
from pilothouse.signals.profiles.cohorts import cohort_of
from pilothouse.signals.selector import equals, parse_selector
from pilothouse.signals.timerange import TimeRange
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed

MAIN, WORK, REST = ("main", "/app/m.py", 1), ("work", "/app/m.py", 20), ("rest", "/app/m.py", 30)


@pytest.fixture(scope="module")
def fleet(house: House) -> House:
    """Three pods of one release and one of another, a profile a minute for 20 minutes; pod 2 works most."""
    now = time.time_ns()
    for pod, version in ((0, "1"), (1, "1"), (2, "1"), (3, "2")):
        for minute in range(20):
            builder = PprofBuilder().add([WORK, MAIN], (pod + 1) * 1000 + minute).add([REST, MAIN], 7)
            builder.message.time_nanos = now - (21 - minute) * 60 * SECOND
            labels = {"service_version": version, "k8s_pod_name": f"fleet-{pod}"}
            content = pushed("fleet", builder.bytes(), **labels).SerializeToString()
            assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    house.wait_for("fleet", "cpu", 80)
    return house


def test_replicas_are_of_one_cohort() -> None:
    same = {"service.name": "a", "service.version": "1"}
    pods = [same | {"k8s.pod.name": name, "host.name": name, "process.pid": name} for name in ("x", "y")]
    assert len({cohort_of(pod) for pod in [same, *pods]}) == 1
    assert cohort_of(same) != cohort_of(same | {"service.version": "2"})


@pytest.mark.parametrize(
    ("selector", "cohorts", "apart"),
    [
        ('service_name="fleet"', 2, 0),
        ('service_name="fleet",service_version="1"', 1, 0),
        ('service_name="fleet",k8s_pod_name=~"fleet-[13]"', 1, 1),
        ('service_name="fleet",k8s_pod_name="fleet-2"', 0, 1),
    ],
)
def test_minutes_and_samples_say_the_same(fleet: House, selector: str, cohorts: int, apart: int) -> None:
    now = time.time_ns()
    long = select(fleet.engine, parse_selector(selector), TimeRange(now - 3600 * SECOND, now))
    assert (len(long.cohorts), len(long.apart)) == (cohorts, apart)
    exact = select(fleet.engine, parse_selector(selector), long.within, parse_selector('nothing=""'))
    assert not exact.cohorts
    found = [costs(fleet.engine, "cpu", [one]) for one in (long, exact)]
    summed = [
        sorted(
            (one.names[one.codes[start]][0], int(value))
            for start, value in zip(one.offsets[:-1].tolist(), one.values[:, 0].tolist(), strict=True)
        )
        for one in found
    ]
    assert summed[0] == summed[1] != []


def test_a_short_range_is_exact(fleet: House) -> None:
    now = time.time_ns()
    within = TimeRange(now - 400 * SECOND, now - 330 * SECOND)
    chosen = select(fleet.engine, equals(service_name="fleet", service_version="2"), within)
    assert (chosen.within, chosen.cohorts) == (within, [])
    assert len(costs(fleet.engine, "cpu", [chosen]).values) == 2


def test_the_answer_says_which_range_it_is_about(fleet: House) -> None:
    said = fleet.get("/api/profiles/top", service="fleet", since="1h")
    assert said["start"].endswith(":00Z") or said["start"].endswith(":00.000000000Z")
    assert said["total"] == sum(one["self"] for one in said["functions"])
    kept = fleet.get("/api/profiles/types", service="fleet", since="1h")["types"]
    assert {one["type"]: one["total"] for one in kept}["cpu"] == said["total"]
