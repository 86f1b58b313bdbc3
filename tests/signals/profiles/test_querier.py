"""Pyroscope's API: what Grafana's data source and older clients ask, over HTTP, in protobuf and JSON."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.flamebearer import flamebearer
from pilothouse.signals.profiles.pprof import PprofProfile
from pilothouse.signals.profiles.profile_types import kept_type
from pilothouse.signals.profiles.querier import MESSAGES
from pilothouse.signals.profiles.tree import grow
from tests.signals.profiles.building import SECOND, PprofBuilder, go_heap
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed
from tests.signals.profiles.test_questions import SAMPLES, costs_of
from tests.thorough import part_of

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
SERVICE = "/pyroscope/querier.v1.QuerierService"
MAIN, WORK, REST = ("main", "/app/m.py", 1), ("work", "/app/m.py", 20), ("rest", "/app/m.py", 30)


@pytest.fixture(scope="module")
def grafana(house: House) -> House:
    now = time.time_ns()
    for version, work, place in (("1", 3, 120), ("1", 4, 60), ("2", 9, 60)):
        builder = PprofBuilder().add([WORK, MAIN], work, labels={"span_id": f"{work:016x}"}).add([REST, MAIN], 1)
        builder.message.time_nanos = now - place * SECOND
        content = pushed("web", builder.bytes(), service_version=version).SerializeToString()
        assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    content = pushed("heap", go_heap().bytes(), __name__="memory").SerializeToString()
    assert house.client.post(PUSH, content=content, headers=PROTO).is_success
    house.wait_for("web", "cpu", 3)
    house.wait_for("heap", "inuse_space")
    return house


def ask(house: House, call: str, as_json: bool = False, **fields: Any) -> Any:
    """The answer's message, asked for in protobuf or in JSON."""
    request = MESSAGES[f"{call}Request"](**fields)
    kind = PprofProfile if call == "SelectMergeProfile" else MESSAGES[f"{call}Response"]
    if as_json:
        response = house.client.post(f"{SERVICE}/{call}", json=json_format.MessageToDict(request))
        assert response.headers["content-type"] == "application/json"
        return json_format.Parse(response.content, kind())
    content = request.SerializeToString()
    response = house.client.post(f"{SERVICE}/{call}", content=content, headers={"content-type": "application/proto"})
    assert response.status_code == 200, response.text
    return kind.FromString(response.content)


def hour() -> dict[str, int]:
    now = time.time_ns() // 1_000_000
    return {"start": now - 3_600_000, "end": now}


BOTH = pytest.mark.parametrize("as_json", [False, True], ids=["protobuf", "json"])


@BOTH
def test_profile_types(grafana: House, as_json: bool) -> None:
    types = {kind.ID for kind in ask(grafana, "ProfileTypes", as_json, **hour()).profile_types}
    assert CPU in types
    assert "memory:inuse_space:bytes:cpu:nanoseconds" in types


@BOTH
def test_labels(grafana: House, as_json: bool) -> None:
    names = list(ask(grafana, "LabelNames", as_json, **hour()).names)
    assert names == ["__profile_type__", "service_name", "service_version"]
    assert list(ask(grafana, "LabelValues", as_json, name="service_name", **hour()).names) == ["heap", "web"]
    versions = ask(grafana, "LabelValues", as_json, name="service_version", matchers=['{service_name="web"}'], **hour())
    assert list(versions.names) == ["1", "2"]
    types = ask(grafana, "LabelValues", as_json, name="__profile_type__", matchers=['{service_name="web"}'], **hour())
    assert list(types.names) == [CPU]


@BOTH
def test_series(grafana: House, as_json: bool) -> None:
    answer = ask(grafana, "Series", as_json, label_names=["service_name"], **hour())
    assert [[(one.name, one.value) for one in labels.labels] for labels in answer.labels_set] == [
        [("service_name", "heap")],
        [("service_name", "web")],
    ]


@BOTH
def test_a_flame_graph(grafana: House, as_json: bool) -> None:
    selector = f'{{service_name="web", __profile_type__="{CPU}"}}'
    answer = ask(
        grafana, "SelectMergeStacktraces", as_json, profile_typeID=CPU, label_selector=selector, max_nodes=100, **hour()
    )
    graph = answer.flamegraph
    assert (graph.total, graph.max_self) == (19, 16)
    names, levels = list(graph.names), [list(level.values) for level in graph.levels]
    work, rest = names.index("work"), names.index("rest")
    assert levels[0] == [0, 19, 0, 0]
    assert levels[1] == [0, 19, 0, names.index("main")]
    assert levels[2] == [0, 16, 16, work, 0, 3, 3, rest]


@BOTH
def test_a_span(grafana: House, as_json: bool) -> None:
    answer = ask(
        grafana, "SelectMergeSpanProfile", as_json, profile_typeID=CPU, label_selector='{service_name="web"}',
        span_selector=[f"{9:016x}"], **hour(),
    )  # fmt: skip
    assert answer.flamegraph.total == 9


@BOTH
def test_series_of_totals(grafana: House, as_json: bool) -> None:
    answer = ask(
        grafana, "SelectSeries", as_json, profile_typeID=CPU, label_selector='{service_name="web"}',
        group_by=["service_version"], step=15.0, **hour(),
    )  # fmt: skip
    found = {line.labels[0].value: [point.value for point in line.points] for line in answer.series}
    assert found == {"1": [4.0, 5.0], "2": [10.0]}
    [whole] = ask(grafana, "SelectSeries", as_json, profile_typeID=CPU, label_selector="{}", step=15.0, **hour()).series
    assert [point.value for point in whole.points] == [4.0, 15.0]


@BOTH
def test_a_pprof_profile(grafana: House, as_json: bool) -> None:
    answer = ask(
        grafana, "SelectMergeProfile", as_json, profile_typeID=CPU, label_selector='{service_name="web"}', **hour()
    )
    assert sum(sample.value[0] for sample in answer.sample) == 19


@BOTH
def test_a_difference(grafana: House, as_json: bool) -> None:
    sides = [
        MESSAGES["SelectMergeStacktracesRequest"](
            profile_typeID=CPU, label_selector=f'{{service_name="web",service_version="{version}"}}', **hour()
        )
        for version in ("1", "2")
    ]
    graph = ask(grafana, "Diff", as_json, left=sides[0], right=sides[1]).flamegraph
    assert (graph.leftTicks, graph.rightTicks, graph.total) == (9, 10, 19)
    names = list(graph.names)
    assert list(graph.levels[2].values) == [
        0,
        7,
        7,
        0,
        9,
        9,
        names.index("work"),
        0,
        2,
        2,
        0,
        1,
        1,
        names.index("rest"),
    ]


def test_stats(grafana: House) -> None:
    answer = ask(grafana, "GetProfileStats")
    assert answer.data_ingested
    assert 0 < answer.oldest_profile_time < answer.newest_profile_time < time.time() * 1000


def test_render(grafana: House) -> None:
    answer = grafana.get(
        "/pyroscope/render", query=f'{CPU}{{service_name="web"}}', **{"from": "now-1h", "until": "now"}
    )
    assert answer["flamebearer"]["numTicks"] == 19
    assert answer["metadata"]["format"] == "single"
    assert sum(answer["timeline"]["samples"]) == 19
    millis = hour()
    again = grafana.get(
        "/pyroscope/render",
        query=f"{CPU}{{}}",
        maxNodes="2",
        **{"from": str(millis["start"]), "until": str(millis["end"])},
    )
    assert "(other)" in again["flamebearer"]["names"]


def test_render_diff(grafana: House) -> None:
    answer = grafana.get(
        "/pyroscope/render-diff", leftQuery=f'{CPU}{{service_version="1"}}', rightQuery=f'{CPU}{{service_version="2"}}',
        leftFrom="now-1h", leftUntil="now", rightFrom="now-1h", rightUntil="now",
    )  # fmt: skip
    assert (answer["leftTicks"], answer["rightTicks"], answer["metadata"]["format"]) == (9, 10, "double")
    assert all(len(level) % 7 == 0 for level in answer["flamebearer"]["levels"])


def test_old_label_calls(grafana: House) -> None:
    assert "service_name" in grafana.get("/pyroscope/label-names")
    assert grafana.get("/pyroscope/label-values", label="service_version") == ["1", "2"]


@pytest.mark.parametrize(
    ("call", "fields", "said"),
    [
        ("SelectMergeStacktraces", {"profile_typeID": "cpu"}, "profile_typeID"),
        ("SelectMergeStacktraces", {"profile_typeID": CPU, "label_selector": "{a"}, "brace"),
        ("SelectMergeStacktraces", {"profile_typeID": CPU, "start": 5, "end": 4}, "start"),
        ("SelectMergeStacktraces", {"profile_typeID": CPU, "start": 2**62}, "start"),
        ("SelectSeries", {"profile_typeID": CPU, "step": 0.0}, "step"),
        ("SelectSeries", {"profile_typeID": CPU, "step": 0.001}, "step"),
        ("SelectSeries", {"profile_typeID": CPU, "step": float("nan")}, "step"),
        ("SelectMergeSpanProfile", {"profile_typeID": CPU}, "span_selector"),
    ],
)
def test_bad_calls(grafana: House, call: str, fields: dict[str, Any], said: str) -> None:
    content = MESSAGES[f"{call}Request"](**fields).SerializeToString()
    response = grafana.client.post(f"{SERVICE}/{call}", content=content, headers={"content-type": "application/proto"})
    assert response.status_code == 400, response.text
    assert response.json()["code"] == "invalid_argument"
    assert said in response.json()["message"]


def test_calls_that_are_not_there(grafana: House) -> None:
    response = grafana.client.post(f"{SERVICE}/Nonsense", json={})
    assert (response.status_code, response.json()["code"]) == (404, "unimplemented")
    broken = grafana.client.post(f"{SERVICE}/ProfileTypes", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400
    assert grafana.client.get("/pyroscope/render", params={"query": "cpu"}).status_code == 400
    assert grafana.client.get("/pyroscope/render").status_code == 400


@given(SAMPLES)
@settings(max_examples=part_of(150), deadline=None)
def test_levels_are_the_tree(samples: Any) -> None:
    """Every node of a level lies within one of the level above, and own values add up to the totals."""
    found = flamebearer(grow(costs_of(samples)))
    for side in (0, 1):
        own, above = 0, [(0, found.totals[side])]
        for level in found.levels:
            at, spans = 0, []
            for place in range(0, len(level), 7):
                gap, total, self_value = level[place + 3 * side : place + 3 * side + 3]
                spans.append((at + gap, at + gap + total))
                at += gap + total
                own += self_value
            assert all(any(left <= begin and end <= right for left, right in above) for begin, end in spans)
            above = spans
        assert own == found.totals[side]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (CPU, "cpu"),
        ("mutex:delay:nanoseconds:contentions:count", "mutex_delay"),
        ("memory:inuse_space:bytes::", "inuse_space"),
    ],
)
def test_ids_name_what_we_keep(text: str, kept: str) -> None:
    assert kept_type(text, "query") == kept


@given(st.text(max_size=30))
def test_other_ids_are_refused_in_words(text: str) -> None:
    if text.count(":") in (4, 5):
        assert isinstance(kept_type(text, "query"), str)
    else:
        with pytest.raises(BadRequestError, match="query"):
            kept_type(text, "query")
