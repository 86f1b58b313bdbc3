"""One function from all sides, and its share over time."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from pilothouse.signals.profiles.asking import Costs
from pilothouse.signals.profiles.function import function_view
from pilothouse.signals.profiles.tree import grow
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed
from tests.signals.profiles.test_questions import SAMPLES, costs_of
from tests.thorough import part_of

MAIN, SERVE = ("main", "/app/m.py", 1), ("serve", "/app/m.py", 12)
PARSE, PARSE_TWICE, READ = ("parse", "/app/p.py", 30), ("parse", "/app/p.py", 31), ("read", "/app/io.py", 4)


@given(SAMPLES)
@settings(max_examples=part_of(200), deadline=None)
def test_what_passes_through_is_what_it_costs(samples: Any) -> None:
    found = costs_of(samples)
    view = function_view(found, "a", "x")
    stacks = [(stack, values[0]) for stack, values in samples if 0 in stack]
    assert view.total == sum(value for _, value in stacks)
    assert view.own == sum(value for stack, value in stacks if stack[0] == 0)
    # Called by nobody: it is the root of its stack.
    assert view.total - sum(value for _, value in view.callers) == sum(v for stack, v in stacks if stack[-1] == 0)
    for part in (view.above, view.below):
        tree = grow(part)
        assert tree.values[0, 0] == view.total
        assert len(tree) == 1 or tree.names[tree.codes[1]] == ("a", "x")


def test_a_function_that_calls_itself() -> None:
    codes = np.array([0, 1, 0, 2])
    found = Costs([("f", ""), ("g", ""), ("main", "")], codes, codes * 0 + 5, np.array([0, 4]), np.array([[7]]))
    view = function_view(found, "f")
    assert (view.own, view.total, view.callers, view.callees) == (7, 7, [(("main", ""), 7)], [(("g", ""), 7)])
    assert view.lines == [(("", 5), 7, 7)]


@pytest.fixture(scope="module")
def app(house: House) -> House:
    now = time.time_ns()
    for minute in range(20):
        builder = PprofBuilder()
        builder.add([READ, PARSE, SERVE, MAIN], 30 + minute).add([PARSE_TWICE, SERVE, MAIN], 20).add([SERVE, MAIN], 50)
        builder.message.time_nanos = now - (21 - minute) * 60 * SECOND
        content = pushed("sides-app", builder.bytes()).SerializeToString()
        assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    house.wait_for("sides-app", "cpu", 20)
    return house


def test_callers_callees_and_lines(app: House) -> None:
    said = app.get("/api/profiles/function", service="sides-app", function="parse")
    assert (said["self"], said["of_it"], said["total"]) == (400, 1190, 2190)
    assert said["callers"] == [{"function": "serve", "file": "/app/m.py", "value": 1190}]
    assert said["callees"] == [{"function": "read", "file": "/app/io.py", "value": 790}]
    assert said["lines"] == [
        {"file": "/app/p.py", "line": 30, "self": 0, "total": 790},
        {"file": "/app/p.py", "line": 31, "self": 400, "total": 400},
    ]
    up, down = said["above"]["children"][0], said["below"]["children"][0]
    assert (up["name"], up["children"][0]["name"], up["children"][0]["children"][0]["name"]) == (
        "parse",
        "serve",
        "main",
    )
    assert (down["name"], down["children"][0]["name"], down["children"][0]["value"]) == ("parse", "read", 790)


def test_a_function_that_is_not_there(app: House) -> None:
    response = app.client.get("/api/profiles/function", params={"service": "sides-app", "function": "nothing"})
    assert response.status_code == 404
    assert "'nothing'" in response.json()["error"]["message"]


def test_its_share_over_time(app: House) -> None:
    said = app.get("/api/profiles/timeline", service="sides-app", function="read", step=60, since="1h")
    points = [one for one in said["points"] if one["all"]]
    assert [one["total"] for one in points] == [30 + minute for minute in range(20)]
    assert points[0]["share"] == pytest.approx(30 / 100)
    assert all(one["self"] == one["total"] for one in points)
    parse = app.get("/api/profiles/timeline", service="sides-app", function="parse", step=3600, since="1h")
    assert sum(one["total"] for one in parse["points"]) == 1190
    assert sum(one["self"] for one in parse["points"]) == 400


def test_by_span(house: House) -> None:
    builder = PprofBuilder().add([PARSE, MAIN], 5, labels={"span_id": "00ab"}).add([READ, MAIN], 7)
    house.client.post(PUSH, content=pushed("by-span", builder.bytes()).SerializeToString(), headers=PROTO)
    house.wait_for("by-span", "cpu")
    assert house.get("/api/profiles/top", service="by-span", span="00AB")["total"] == 5
