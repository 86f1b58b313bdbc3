"""Native histograms that rules make: recorded with their fractions, ended like numbers, nothing special to alerts."""

from __future__ import annotations

from pathlib import Path

import yaml

from pilothouse.signals.metrics.configuring import checked
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.numbers import is_stale
from pilothouse.signals.metrics.rules.alerting import Result
from pilothouse.signals.metrics.rules.evaluating import Group, Surroundings
from pilothouse.signals.metrics.rules.files import RuleFile
from pilothouse.signals.metrics.rules.recording import requests_of
from pilothouse.signals.receive.remote_write_messages import WriteRequest

_RULES = """
groups:
  - name: latencies
    rules:
      - record: wait:rate5m
        expr: rate(wait[5m])
      - record: wait:half
        expr: histogram_count(wait:rate5m) / 2
      - alert: Waiting
        expr: wait:rate5m
        annotations: {summary: "{{ $value }}"}
"""


def test_histograms_are_recorded_and_can_be_asked_by_the_next_rule() -> None:
    store = MemoryStorage()
    for place in range(5):
        grown = Histogram(0, 30.0 * place, 3.0 * place, positive={1: 10.0 * place, 3: 20.0 * place})
        store.add(labels_of({NAME: "wait"}), 60_000 * place, grown)
    (group,) = checked(RuleFile, yaml.safe_load(_RULES), Path("rules.yml")).groups
    kept: list[tuple[Result, int]] = []
    running = Group(group, "rules.yml", 60_000, Surroundings())
    running.evaluate(store, 240_000, lambda result, at: kept.append((result, at)))
    assert [state.error for state in running.rules] == ["", "", ""]
    ((labels, rate),), ((_, half),) = kept[0][0], kept[1][0]
    assert isinstance(rate, Histogram)
    assert half == rate.count / 2 > 0
    (told,) = WriteRequest.FromString(next(requests_of(*kept[0]))).timeseries
    (histogram,) = told.histograms
    assert (histogram.count_float, list(histogram.positive_counts)) == (rate.count, list(rate.positive.values()))
    assert (histogram.timestamp, histogram.reset_hint) == (240_000, 3)
    assert running.rules[2].alerting is not None
    assert [alert.annotations["summary"] for alert in running.rules[2].alerting.alerts] == ["0"]
    kept.clear()
    running.evaluate(MemoryStorage(), 300_000, lambda result, at: kept.append((result, at)))
    assert kept[0][0][0][0] == labels
    assert is_stale(kept[0][0][0][1])
