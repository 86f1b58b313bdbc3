"""The query log has a line for each query, and never stands in the way of one."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.requests import Request

from pilothouse.signals.metrics.prometheus.query_log import QueryLog, RuleGroupOf
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.statistics import Statistics
from pilothouse.signals.metrics.rules.evaluating import Group, Surroundings
from pilothouse.signals.metrics.rules.files import RuleGroup

_REQUEST = Request(
    {"type": "http", "method": "GET", "path": "/prometheus/api/v1/query_range", "headers": [], "query_string": b"",
     "client": ("10.1.2.3", 9), "server": ("a", 80), "scheme": "http"}
)  # fmt: skip


def test_lines(tmp_path: Path) -> None:
    written = QueryLog()
    written.add(_REQUEST, "before", Grid(0, 0, 0))
    file = tmp_path / "queries.log"
    written.use(file)
    written.add(_REQUEST, 'up{a="é\n"}', Grid(1_500, 61_500, 15_000), Statistics(read=7, evaluating=0.5))
    file.rename(tmp_path / "moved.log")
    written.use(file)
    written.add(RuleGroupOf("a.yml", "g"), "up", Grid(10**17, 10**17, 500), error="too far")
    written.use(None)
    written.add(_REQUEST, "after", Grid(0, 0, 0))
    (first,) = map(json.loads, (tmp_path / "moved.log").read_text().splitlines())
    (second,) = map(json.loads, file.read_text().splitlines())
    assert first["httpRequest"] == {"clientIP": "10.1.2.3", "method": "GET", "path": "/prometheus/api/v1/query_range"}
    assert first["params"] == {
        "start": "1970-01-01T00:00:01.500Z", "end": "1970-01-01T00:01:01.500Z", "query": 'up{a="é\n"}', "step": 15
    }  # fmt: skip
    assert first["stats"]["samples"] == {"samplesRead": 7, "peakSamples": 0}
    assert first["stats"]["timings"]["innerEvalTime"] == 0.5
    assert first["ts"].endswith("Z")
    assert (second["error"], second["ruleGroup"]) == ("too far", {"file": "a.yml", "name": "g"})
    assert "httpRequest" not in second
    assert second["params"]["step"] == 0.5
    assert file.stat().st_mode & 0o007 == 0


def test_rules_are_in_it_by_their_group(tmp_path: Path) -> None:
    rules = [{"record": "two", "expr": "1 + 1"}, {"record": "bad", "expr": "label_replace(up, 'a', 'b', 'c', '(')"}]
    group = Group(RuleGroup.model_validate({"name": "g", "rules": rules}), "a.yml", 60_000, Surroundings())
    written = QueryLog()
    written.use(tmp_path / "queries.log")
    group.evaluate(MemoryStorage(), 60_000, lambda result, at: None, query_log=written)
    written.use(None)
    lines = list(map(json.loads, (tmp_path / "queries.log").read_text().splitlines()))
    assert [line["params"]["query"] for line in lines] == [rule["expr"] for rule in rules]
    assert [line["ruleGroup"] for line in lines] == [{"file": "a.yml", "name": "g"}] * 2
    assert ("stats" in lines[0], "error" in lines[0]) == (True, False)
    assert "invalid regular expression" in lines[1]["error"]


def test_a_full_disk_fails_no_query() -> None:
    written = QueryLog()
    written.use(Path("/dev/full"))
    for _ in range(3):
        written.add(_REQUEST, "up", Grid(0, 0, 0))
    written.use(None)
