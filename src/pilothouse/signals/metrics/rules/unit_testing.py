"""promtool's unit tests of rules: series in, alerts and query results expected.

https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pilothouse.signals.metrics.configuring import Milliseconds, checked, matching, read_yaml
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.promql.engine import Value, evaluate
from pilothouse.signals.metrics.promql.errors import PromqlError
from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import EMPTY, Labels, labels_of
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.notation import NotationError, parse_histogram, parse_labels, parse_series
from pilothouse.signals.metrics.promql.numbers import format_g
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.rules.alerting import Result
from pilothouse.signals.metrics.rules.evaluating import Group, Surroundings
from pilothouse.signals.metrics.rules.files import read_rules


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class InputSeries(_Strict):
    """A series in the notation of unit tests."""

    series: str
    values: str


class ExpectedAlert(_Strict):
    """An alert that fires; the label `alertname` is added."""

    exp_labels: dict[str, str] | None = None
    exp_annotations: dict[str, str] | None = None


class AlertTest(_Strict):
    """Which alerts of a rule fire at a time."""

    eval_time: Milliseconds
    alertname: str
    exp_alerts: list[ExpectedAlert] | None = None


class ExpectedSample(_Strict):
    """A sample of a query's result."""

    labels: str = ""
    value: float = 0.0
    histogram: str = ""


class QueryTest(_Strict):
    """What a query finds at a time."""

    expr: str
    eval_time: Milliseconds
    exp_samples: list[ExpectedSample] | None = None


class TestGroup(_Strict):
    """One test: series, and what is expected of the rules."""

    __test__ = False

    name: str = ""
    interval: Milliseconds = 0
    input_series: list[InputSeries] = Field(default_factory=list)
    alert_rule_test: list[AlertTest] = Field(default_factory=list)
    promql_expr_test: list[QueryTest] = Field(default_factory=list)
    external_labels: dict[str, str] = Field(default_factory=dict)
    external_url: str = ""
    start_timestamp: Any = 0


class TestFile(_Strict):
    """A file of tests."""

    __test__ = False

    rule_files: list[str] = Field(default_factory=list)
    evaluation_interval: Milliseconds = 60_000
    group_eval_order: list[str] = Field(default_factory=list)
    fuzzy_compare: bool = False
    tests: list[TestGroup] = Field(default_factory=list)


def run(path: Path) -> list[str]:
    """What is wrong, a text for each; nothing when all holds. Raises `ConfigurationError`."""
    file = checked(TestFile, read_yaml(path), path)
    rules: list[Path] = []
    for pattern in file.rule_files:
        found = matching(path.resolve().parent, pattern)
        if not found and not any(mark in pattern for mark in "*?["):
            raise ConfigurationError(f"{path}: rule_files: {pattern}: no such file")
        rules += found
    read = [(str(one), read_rules(one)) for one in rules]
    names = [group.name for _, content in read for group in content.groups]
    for name in file.group_eval_order:
        if name not in names:
            raise ConfigurationError(f"{path}: group_eval_order: group name not found: {name}")
    faults: list[str] = []
    for number, test in enumerate(file.tests):
        around = Surroundings(test.external_labels, test.external_url)
        groups = [
            Group(group, place, file.evaluation_interval, around) for place, content in read for group in content.groups
        ]
        order = {name: place for place, name in enumerate(file.group_eval_order)}
        groups.sort(key=lambda group: order.get(group.group.name, len(order)))
        where = f"{test.name or f'test {number + 1}'}: "
        try:
            faults += [where + fault for fault in _Test(file, test, groups).faults()]
        except (NotationError, PromqlError, ValueError) as error:
            faults.append(f"{where}{error}")
    return faults


class _Test:
    def __init__(self, file: TestFile, test: TestGroup, groups: list[Group]) -> None:
        self._file, self._test, self._groups = file, test, groups
        self._storage = MemoryStorage()
        self._start = _start(test.start_timestamp)
        self._interval = test.interval or file.evaluation_interval

    def faults(self) -> Iterator[str]:
        last = self._load()
        every = self._file.evaluation_interval
        times = [one.eval_time for one in self._test.alert_rule_test]
        last = max([last, *times, *(one.eval_time for one in self._test.promql_expr_test)])
        for at in range(0, last + 1, every):
            for group in self._groups:
                group.evaluate(self._storage, self._start + at, self._keep)
                for state in group.rules:
                    if state.error:
                        yield f"rule: {state.rule.name}, time: {at / 1000:g}s, err: {state.error}"
            for one in self._test.alert_rule_test:
                if at <= one.eval_time < at + every:
                    yield from self._alerts(one)
        for query in self._test.promql_expr_test:
            yield from self._query(query)

    def _load(self) -> int:
        last = 0
        for one in self._test.input_series:
            line = parse_series(f"{one.series.strip()} {one.values}")
            for place, value in enumerate(line.values):
                if value is not None:
                    self._storage.add(line.labels, self._start + place * self._interval, value)
                    last = max(last, place * self._interval)
        return last

    def _keep(self, result: Result, at: int) -> None:
        for labels, value in result:
            self._storage.add(labels, at, value)

    def _alerts(self, test: AlertTest) -> Iterator[str]:
        rules = [
            state.alerting
            for group in self._groups
            for state in group.rules
            if state.alerting is not None and state.rule.alert == test.alertname
        ]
        if test.alertname and not rules and test.exp_alerts:
            yield f"alertname: {test.alertname}: no such alert"
            return
        found = [
            (dict(alert.labels.map), dict(alert.annotations))
            for rule in rules
            for alert in rule.alerts
            if alert.state == "firing"
        ]
        expected = [
            ({**(one.exp_labels or {}), "alertname": test.alertname}, dict(one.exp_annotations or {}))
            for one in test.exp_alerts or ()
        ]
        if _sorted(found) != _sorted(expected):
            yield (
                f"alertname: {test.alertname}, time: {test.eval_time / 1000:g}s\n"
                f"    exp: {_shown_alerts(expected)}\n    got: {_shown_alerts(found)}"
            )

    def _query(self, test: QueryTest) -> Iterator[str]:
        at = self._start + test.eval_time
        where = f"expr: {test.expr!r}, time: {test.eval_time / 1000:g}s"
        try:
            found = _samples(evaluate(self._storage, test.expr, Grid(at, at, 0), is_range=False))
        except PromqlError as error:
            yield f"{where}, err: {error}"
            return
        expected: list[tuple[Labels, float | Histogram]] = []
        for one in test.exp_samples or ():
            text = one.labels.strip()
            labels = EMPTY if text in ("", "{}") else parse_labels(text)[0]
            native = one.histogram.strip().removeprefix("{{").removesuffix("}}")
            expected.append((labels, parse_histogram(native) if native else one.value))
        found.sort(key=lambda pair: pair[0].pairs)
        expected.sort(key=lambda pair: pair[0].pairs)
        same = len(found) == len(expected) and all(
            left[0] == right[0] and self._same(left[1], right[1]) for left, right in zip(found, expected, strict=True)
        )
        if not same:
            yield f"{where}\n    exp: {_shown(expected)}\n    got: {_shown(found)}"

    def _same(self, left: float | Histogram, right: float | Histogram) -> bool:
        if isinstance(left, Histogram) or isinstance(right, Histogram):
            return isinstance(left, Histogram) and isinstance(right, Histogram) and left.same(right)
        if self._file.fuzzy_compare:
            return left == right or math.isclose(left, right, rel_tol=1e-12) or (left != left and right != right)
        return left == right or (left != left and right != right)


def _start(text: Any) -> int:
    from datetime import UTC, datetime

    if isinstance(text, datetime):
        moment = text if text.tzinfo else text.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    if isinstance(text, int | float):
        return round(text * 1000)
    try:
        return round(float(text) * 1000)
    except ValueError:
        return round(datetime.fromisoformat(str(text)).timestamp() * 1000)


def _samples(value: Value) -> list[tuple[Labels, float | Histogram]]:
    if value.kind == "scalar":
        assert value.scalars is not None
        return [(EMPTY, float(value.scalars[0]))]
    if value.matrix is None:
        raise ValueError(f"a result of type {value.kind} cannot be compared")
    matrix = value.matrix
    cells = matrix.histograms
    return [
        (labels, matrix.values[row, 0] if cells is None or cells[row, 0] is None else cells[row, 0])
        for row, labels in enumerate(matrix.labels)
    ]


def _sorted(alerts: list[tuple[dict[str, str], dict[str, str]]]) -> list[Any]:
    return sorted((sorted(labels.items()), sorted(annotations.items())) for labels, annotations in alerts)


def _shown_alerts(alerts: list[tuple[dict[str, str], dict[str, str]]]) -> str:
    said = [f"Labels:{labels_of(labels)} Annotations:{labels_of(annotations)}" for labels, annotations in alerts]
    return "[" + ", ".join(said) + "]"


def _shown(samples: list[tuple[Labels, float | Histogram]]) -> str:
    said = [
        f"{labels} {value if isinstance(value, Histogram) else format_g(float(value))}" for labels, value in samples
    ]
    return ", ".join(said) or "nil"
