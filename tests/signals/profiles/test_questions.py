"""Top, folded, flame and difference: against a store, and against the same sums done by hand."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.profiles import asking
from pilothouse.signals.profiles.asking import Costs, Selection, with_function
from pilothouse.signals.profiles.top import folded, function_costs, most_changed, top
from pilothouse.signals.profiles.tree import OTHER, grow, pruned, to_json
from pilothouse.signals.timerange import TimeRange
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed
from tests.thorough import part_of

NAMES = [("a", "x"), ("b", "x"), ("a", "y"), ("c", "")]
STACK = st.lists(st.integers(0, len(NAMES) - 1), max_size=7)
SAMPLES = st.lists(st.tuples(STACK, st.tuples(st.integers(0, 1000), st.integers(0, 1000))), max_size=25)


def costs_of(samples: Any) -> Costs:
    lengths = [len(stack) for stack, _ in samples]
    codes = np.array([code for stack, _ in samples for code in stack], np.int64)
    values = np.array([value for _, value in samples], np.int64).reshape(-1, 2)
    return Costs(NAMES, codes, codes * 10 + 1, np.concatenate(([0], np.cumsum(lengths))).astype(np.int64), values)


@given(SAMPLES)
@settings(max_examples=part_of(200), deadline=None)
def test_functions_are_summed_as_by_hand(samples: Any) -> None:
    own, total = function_costs(costs_of(samples))
    for side in (0, 1):
        by_self: Counter[int] = Counter()
        by_total: Counter[int] = Counter()
        for stack, values in samples:
            by_self.update({stack[0]: values[side]} if stack else {})
            by_total.update(dict.fromkeys(stack, values[side]))
        assert own[:, side].tolist() == [by_self[code] for code in range(len(NAMES))]
        assert total[:, side].tolist() == [by_total[code] for code in range(len(NAMES))]


@given(SAMPLES, st.integers(1, 9))
@settings(max_examples=part_of(200), deadline=None)
def test_a_tree_holds_every_path(samples: Any, depth: int) -> None:
    tree = grow(costs_of(samples), depth)
    expected: Counter[tuple[int, ...]] = Counter()
    for stack, values in samples:
        path = tuple(reversed(stack))[:depth]
        for length in range(len(path) + 1):
            expected[path[:length]] += values[0]
    paths: list[tuple[int, ...]] = []
    for node in range(len(tree)):
        paths.append((*paths[tree.parents[node]], int(tree.codes[node])) if node else ())
    found = dict(zip(paths, tree.values[:, 0].tolist(), strict=True))
    assert len(found) == len(paths)
    assert {path: found.get(path, 0) for path in expected} == dict(expected)


@given(SAMPLES, st.integers(1, 12))
@settings(max_examples=part_of(200), deadline=None)
def test_pruning_keeps_every_total(samples: Any, nodes: int) -> None:
    whole = grow(costs_of(samples))
    tree = pruned(whole, nodes)
    assert tree.values[0].tolist() == whole.values[0].tolist()
    assert len(tree) <= 2 * nodes + 1 or len(tree) == len(whole)
    assert (tree.parents[1:] < np.arange(1, len(tree))).all()
    for node in range(len(tree)):
        below = tree.values[tree.parents == node].sum(axis=0)
        assert (below <= tree.values[node]).all()


def test_what_is_pruned_is_one_child() -> None:
    samples = [([code], (value, 0)) for code, value in ((0, 50), (1, 3), (2, 2), (3, 45))]
    tree = pruned(grow(costs_of(samples)), 3)
    named = {
        tree.names[code][0]: value for code, value in zip(tree.codes[1:], tree.values[1:, 0].tolist(), strict=True)
    }
    assert named == {"a": 50, "c": 45, OTHER: 5}


def test_json_of_a_deep_tree_needs_no_recursion() -> None:
    tree = grow(costs_of([([0] * 5000, (1, 2))]), depth=5000)
    text = to_json(tree, ("baseline", "candidate"))
    assert text.count('"name":"a"') == 5000
    assert text.endswith("]}" * 5001)


@given(SAMPLES, st.sampled_from(["a", "A", "y", "zz"]))
@settings(max_examples=part_of(100), deadline=None)
def test_a_function_narrows(samples: Any, text: str) -> None:
    kept = with_function(costs_of(samples), text)
    matching = {code for code, (name, file) in enumerate(NAMES) if text.lower() in f"{name} {file}"}
    expected = [values for stack, values in samples if matching & set(stack)]
    assert kept.values.tolist() == [list(values) for values in expected]
    assert len(kept.codes) == sum(len(stack) for stack, _ in samples if matching & set(stack))


class StoredStacks:
    """An engine that knows three stacks, one of them twice; dictionaries begin anew with each answer."""

    rows: tuple[tuple[int, list[str], list[str], list[int]], ...] = (
        (7, ["a"], ["x"], [1]), (3, ["b", "a"], ["y", "x"], [4, 1]), (7, ["a"], ["x"], [1]), (9, [], [], []),
    )  # fmt: skip
    text = pa.list_(pa.dictionary(pa.int32(), pa.string()))

    def query(self, sql: str, parameters: Any, budget: Any) -> pa.Table:
        rows = [row for row in self.rows if row[0] in parameters["stacks"]]
        kinds = {"stack": pa.uint64(), "functions": self.text, "files": self.text, "lines": pa.list_(pa.uint32())}
        return pa.table({
            name: pa.array([row[place] for row in rows], kind) for place, (name, kind) in enumerate(kinds.items())
        })  # fmt: skip


@pytest.mark.parametrize("at_a_time", [1, 2, 100])
def test_stacks_have_their_frames_however_they_are_asked_for(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_STACKS", at_a_time)
    wanted: Any = np.array([9, 3, 5, 7, 3], np.uint64)
    engine: Any = StoredStacks()
    found = asking.frames(engine, wanted, [Selection([1], TimeRange(0, SECOND))], None)
    stacks = [
        [(found.names[code], line) for code, line in zip(found.codes[begin:end], found.lines[begin:end], strict=True)]
        for begin, end in zip(found.offsets, found.offsets[1:], strict=False)
    ]
    twice = [(("b", "y"), 4), (("a", "x"), 1)]
    assert stacks == [[], twice, [], [(("a", "x"), 1)], twice]


def test_folded_joins_stacks_that_differ_only_in_lines() -> None:
    found = costs_of([([0, 1], (5, 0)), ([2, 1], (6, 0)), ([3], (0, 0))])
    assert folded(found, 10) == [(["b", "a"], 11)]


def test_the_most_changed_function_is_first() -> None:
    found = costs_of([([0, 1], (100, 105)), ([3, 1], (10, 60)), ([2], (7, 7))])
    assert [(one.function, one.own) for one in most_changed(found, 9)] == [
        ("c", (10, 60)),
        ("a", (100, 105)),
        ("b", (0, 0)),
    ]
    assert [one.function for one in top(found, 1, by_total=True)] == ["b"]


# Against a store.

MAIN, WORK, REST = ("main", "/app/m.py", 1), ("work", "/app/m.py", 20), ("rest", "/app/m.py", 30)


def send(house: House, service: str, version: str, *values: tuple[int, int], kind: str = "cpu", **labels: str) -> None:
    """One profile of ten seconds for each pair of values of work and rest."""
    now = time.time_ns() - 300 * SECOND
    unit = "nanoseconds" if kind == "cpu" else "bytes"
    bodies = []
    for place, (work, rest) in enumerate(values):
        builder = PprofBuilder(((kind, unit),)).add([WORK, MAIN], work).add([REST, MAIN], rest)
        builder.message.time_nanos = now + place * 10 * SECOND
        bodies.append(builder.bytes())
    request = pushed(service, *bodies, service_version=version, **labels)
    assert house.client.post(PUSH, content=request.SerializeToString(), headers=PROTO).status_code == 200


def wait_for(house: House, service: str, count: int, kind: str = "cpu") -> None:
    house.wait_for(service, kind, count)


def test_flame_totals_are_the_profiles_totals(house: House) -> None:
    send(house, "sums", "1", (3, 4), (5, 6))
    wait_for(house, "sums", 2)
    answer = house.get("/api/profiles/flame", service="sums", since="1h")
    main = answer["root"]["children"][0]
    assert (answer["total"], answer["root"]["value"], main["value"], answer["seconds"]) == (18, 18, 18, 20.0)
    assert [(one["name"], one["value"], one["line"]) for one in main["children"]] == [("rest", 10, 30), ("work", 8, 20)]
    assert house.get("/api/profiles/folded", service="sums")["stacks"] == [
        {"stack": ["main", "rest"], "value": 10},
        {"stack": ["main", "work"], "value": 8},
    ]
    text = house.client.get("/api/profiles/folded", params={"service": "sums", "format": "text"}).text
    assert text == "main;rest 10\nmain;work 8\n"


def test_diff_is_on_one_scale(house: House) -> None:
    """Two profiles of version 1, one of version 2: the same rate is no difference."""
    send(house, "scale", "1", (100, 50), (100, 50))
    send(house, "scale", "2", (100, 80))
    wait_for(house, "scale", 3)
    answer = house.get("/api/profiles/diff", service="scale", baseline="1", candidate="2", since="1h")
    assert (answer["baseline_total"], answer["candidate_total"]) == (300, 360)
    assert answer["functions"][0]["function"] == "rest"
    assert [(row["function"], row["baseline_self"], row["candidate_self"]) for row in answer["functions"]] == [
        ("rest", 100, 160),
        ("main", 0, 0),
    ]
    main = answer["root"]["children"][0]
    assert (main["name"], main["baseline"], main["candidate"]) == ("main", 300, 360)


def test_diff_of_live_memory_is_of_one_process(house: House) -> None:
    send(house, "live", "1", (100, 50), (300, 50), kind="inuse_space")
    send(house, "live", "2", (220, 50), (220, 50), (220, 50), kind="inuse_space", service_instance_id="b")
    wait_for(house, "live", 5, "inuse_space")
    answer = house.get("/api/profiles/diff", service="live", baseline="1", candidate="2")
    assert (answer["type"], answer["baseline_total"], answer["candidate_total"]) == ("inuse_space", 250, 270)
    assert house.get("/api/profiles/top", service="live", selector='service_version="1"')["total"] == 250


def test_diff_by_labels_and_by_time(house: House) -> None:
    send(house, "sides", "1", (10, 10), zone="a")
    send(house, "sides", "1", (30, 10), zone="b")
    wait_for(house, "sides", 2)
    by_label = house.get("/api/profiles/diff", service="sides", baseline='zone="a"', candidate='zone=~"b"')
    assert (by_label["baseline_total"], by_label["candidate_total"]) == (20, 40)
    by_time = house.get(
        "/api/profiles/diff", service="sides", baseline="1", candidate="1", since="1h", baseline_start="3h",
        baseline_end="2h",
    )  # fmt: skip
    assert (by_time["baseline_profiles"], by_time["candidate_profiles"]) == (0, 2)


def test_nothing_there_is_an_answer(house: House) -> None:
    answer = house.get("/api/profiles/flame", service="nobody")
    assert (answer["type"], answer["total"], answer["profiles"]) == ("cpu", 0, 0)
    assert answer["root"]["children"] == []
    assert house.get("/api/profiles/top", service="nobody")["functions"] == []
    assert house.get("/api/profiles/diff", service="nobody", baseline="1", candidate="2")["functions"] == []


def test_time_and_function_narrow(house: House) -> None:
    send(house, "narrow", "1", (7, 9))
    wait_for(house, "narrow", 1)
    assert house.get("/api/profiles/top", service="narrow", since="1m")["total"] == 0
    assert house.get("/api/profiles/top", service="narrow", start="1h", end="1m")["total"] == 16
    assert house.get("/api/profiles/top", service="narrow", function="WORK")["total"] == 7


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("top", {"sevice": "x"}, "sevice"),
        ("top", {"limit": "0"}, "limit"),
        ("top", {"by": "name"}, "by"),
        ("top", {"selector": "a=b"}, "selector"),
        ("top", {"labels": "{a"}, "labels"),
        ("top", {"since": "soon"}, "since"),
        ("folded", {"format": "svg"}, "format"),
        ("flame", {"depth": "401"}, "depth"),
        ("flame", {"nodes": "many"}, "nodes"),
        ("diff", {"service": "x", "candidate": "2"}, "baseline"),
        ("diff", {"service": "x", "baseline": "1", "candidate": "a=~"}, "candidate"),
        ("types", {"type": "cpu"}, "type"),
    ],
)
def test_bad_questions(house: House, path: str, query: dict[str, str], field: str) -> None:
    response = house.client.get(f"/api/profiles/{path}", params=query)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["field"] == field


@pytest.mark.parametrize("text", ["'; DROP TABLE profiles; --", "{x:String}", "\\", "a\0b", "\u2028"])
def test_texts_never_become_sql(house: House, text: str) -> None:
    for name in ("service", "type", "function"):
        assert house.client.get("/api/profiles/top", params={name: text}).status_code == 200
