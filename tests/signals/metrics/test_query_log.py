"""The query log has a line for each query, and never stands in the way of one."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.requests import Request

from pilothouse.signals.metrics.prometheus.query_log import QueryLog
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.statistics import Statistics

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
    written.add(_REQUEST, "up", Grid(10**17, 10**17, 500), error="too far")
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
    assert second["error"] == "too far"
    assert second["params"]["step"] == 0.5
    assert file.stat().st_mode & 0o007 == 0


def test_a_full_disk_fails_no_query() -> None:
    written = QueryLog()
    written.use(Path("/dev/full"))
    for _ in range(3):
        written.add(_REQUEST, "up", Grid(0, 0, 0))
    written.use(None)
