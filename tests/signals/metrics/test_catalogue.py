"""The catalogue of series asks the engine only when something was stored, and forgets what is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pilothouse.engine import Engine
from pilothouse.signals.metrics.prometheus import catalogue as cataloguing
from pilothouse.signals.metrics.prometheus.cardinality import cardinality
from pilothouse.signals.metrics.prometheus.stored import StoredMetrics
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.selection import Windowing

_AT = 1_790_000_000_000
_UP = [Matcher(NAME, "=", "up")]


def _put(engine: Engine, series: int, job: str, name: str = "up") -> None:
    engine.command(
        "INSERT INTO series (name, series, attributes, kinds, type, scope_name, first_seen, last_seen) "
        f"SELECT '{name}', {series}, map('job', '{job}'), 's', 'gauge', 'prometheus', t, t "
        f"FROM (SELECT fromUnixTimestamp64Milli({_AT}, 'UTC') AS t)"
    )
    engine.command(
        f"INSERT INTO samples (series, time, number, divisor) SELECT {series}, "
        f"fromUnixTimestamp64Milli({_AT}, 'UTC') + number, number, 1 FROM numbers(3)"
    )


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engine's questions, as they come; nothing is too fresh to be asked again."""
    monkeypatch.setattr(cataloguing, "_FRESH", -1.0)
    texts: list[str] = []
    query = engine.query

    def heard(sql: str, *more: Any) -> Any:
        texts.append(sql)
        return query(sql, *more)

    monkeypatch.setattr(engine, "query", heard)
    return texts


def test_the_engine_is_asked_for_series_when_something_was_stored(engine: Engine, asked: list[str]) -> None:
    if engine.writes("series") is None:
        pytest.skip("others may write to a server, so that it is asked each time")
    metrics = StoredMetrics(engine)
    _put(engine, 1, "api")
    for _ in range(3):
        assert [labels.get("job") for labels in metrics.series(_UP, _AT, _AT)] == ["api"]
    assert sum("max(noted)" in sql for sql in asked) == 1
    _put(engine, 2, "web")
    assert [labels.get("job") for labels in metrics.series(_UP, _AT, _AT)] == ["api", "web"]
    assert sum("max(noted)" in sql for sql in asked) == 2


def test_what_is_gone_is_forgotten_in_a_day(engine: Engine, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = StoredMetrics(engine)
    _put(engine, 1, "api")
    _put(engine, 2, "web")
    assert len(metrics.series(_UP, _AT, _AT)) == 2
    engine.command("ALTER TABLE series DELETE WHERE series = 1 SETTINGS mutations_sync = 2")
    monkeypatch.setattr(cataloguing, "_RENEWED", -1.0)
    assert [labels.get("job") for labels in metrics.series(_UP, _AT, _AT)] == ["web"]


@pytest.mark.parametrize("jobs", [["api"], ["api", "db", "web"]])
def test_most_series_of_a_metric_are_read_as_a_range_and_just_those(
    engine: Engine, asked: list[str], jobs: list[str]
) -> None:
    for number, job in enumerate(["api", "db", "other", "web"], 1):
        _put(engine, 10 * number, job)
    _put(engine, 15, "api", "down")
    metrics = StoredMetrics(engine)
    matchers = [*_UP, Matcher("job", "=~", "|".join(jobs))]
    found = metrics.gridded("last_over_time", matchers, Windowing(_AT + 2000, 1000, 2, 5000))
    assert found is not None
    assert sorted(labels.get("job") for labels in found.labels) == jobs
    assert found.values.tolist() == [[2.0, 2.0]] * len(jobs)
    selection = metrics.select(matchers, _AT, _AT + 5000)
    assert sorted(labels.get("job") for labels in selection.labels) == jobs
    assert selection.values.tolist() == [0.0, 1.0, 2.0] * len(jobs)
    assert any("BETWEEN" in sql for sql in asked) == (len(jobs) > 1)


def test_a_series_goes_after_its_samples(engine: Engine, tmp_path: Path) -> None:
    from pilothouse.engine.retention import TABLES, keep

    keep(engine, dict.fromkeys(TABLES, 86400.0))
    _put(engine, 1, "api")
    engine.command(
        "INSERT INTO series (name, series, kinds, type, last_seen) "
        "SELECT 'old', 2, '', 'gauge', now() - INTERVAL 4 DAY UNION ALL SELECT 'new', 3, '', 'gauge', now()"
    )
    engine.command("OPTIMIZE TABLE series FINAL")
    assert "old" not in engine.query("SELECT name FROM series").column(0).to_pylist()
    assert "new" in engine.query("SELECT name FROM series").column(0).to_pylist()


def test_it_is_told_which_labels_make_the_series(engine: Engine) -> None:
    for series, job, name in ((1, "api", "up"), (2, "web", "up"), (3, "web", "lag")):
        _put(engine, series, job, name)
    told = cardinality(engine, 2)
    assert told["headStats"] == {
        "numSeries": 3, "numLabelPairs": 4, "chunkCount": 0, "minTime": _AT, "maxTime": _AT
    }  # fmt: skip
    assert told["seriesCountByMetricName"] == [{"name": "up", "value": 2}, {"name": "lag", "value": 1}]
    assert told["labelValueCountByLabelName"] == [{"name": "__name__", "value": 2}, {"name": "job", "value": 2}]
    assert told["seriesCountByLabelValuePair"] == [{"name": "__name__=up", "value": 2}, {"name": "job=web", "value": 2}]
    assert told["memoryInBytesByLabelName"] == [{"name": "job", "value": 6}, {"name": "__name__", "value": 5}]
