"""Evaluating a group: its rules in order, at one time, each on what those before it made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from pilothouse.signals.metrics.prometheus.joining import joined
from pilothouse.signals.metrics.prometheus.query_log import QueryLog, RuleGroupOf
from pilothouse.signals.metrics.promql.engine import Value, evaluate
from pilothouse.signals.metrics.promql.errors import PromqlError
from pilothouse.signals.metrics.promql.labels import EMPTY, Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME, Matcher
from pilothouse.signals.metrics.promql.matrix import SAME_LABELS
from pilothouse.signals.metrics.promql.memory import MemoryStorage
from pilothouse.signals.metrics.promql.numbers import STALE
from pilothouse.signals.metrics.promql.planning import Grid
from pilothouse.signals.metrics.promql.selection import Gridded, Selection, Storage, Windowing
from pilothouse.signals.metrics.rules.alerting import AlertingRule, Remembered, Result, RuleError, samples_of
from pilothouse.signals.metrics.rules.files import Rule, RuleGroup
from pilothouse.signals.metrics.rules.template_functions import Sample
from pilothouse.signals.metrics.rules.template_parsing import TemplateError
from pilothouse.signals.metrics.rules.templating import Filling

Keep = Callable[[Result, int], None]
"""Keeps samples of a time in milliseconds; a stale marker ends a series."""


@dataclass(slots=True)
class Overlaid:
    """A store with what a group has just made, which the store itself may show only later."""

    below: Storage
    made: MemoryStorage = field(default_factory=MemoryStorage)
    names: set[str] = field(default_factory=set)

    def select(self, matchers: Sequence[Matcher], start: int, end: int) -> Selection:
        found = self.below.select(matchers, start, end)
        return joined([found, self.made.select(matchers, start, end)]) if self._touched(matchers) else found

    def gridded(self, function: str, matchers: Sequence[Matcher], windows: Windowing) -> Gridded | None:
        return None if self._touched(matchers) else self.below.gridded(function, matchers, windows)

    def _touched(self, matchers: Sequence[Matcher]) -> bool:
        named = [matcher for matcher in matchers if matcher.label == NAME]
        return any(all(matcher.matches(name) for matcher in named) for name in self.names)

    def add(self, result: Result, at: int) -> None:
        """Show these samples too."""
        for labels, value in result:
            self.made.add(labels, at, value)
            self.names.add(labels.name)


@dataclass(slots=True)
class RuleState:
    """A rule with how it went. `alerting` is None for a recording rule."""

    rule: Rule
    alerting: AlertingRule | None
    health: str = "unknown"
    error: str = ""
    seconds: float = 0.0
    at: float = 0.0
    before: set[Labels] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules know of the server."""

    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


class Group:
    """A group under way. `interval` in milliseconds."""

    def __init__(self, group: RuleGroup, file: str, interval: int, around: Surroundings, query_offset: int = 0) -> None:
        self.group, self.file = group, file
        self.interval = group.interval or interval
        self.offset = query_offset if group.query_offset is None else group.query_offset
        self._around = around
        self.rules = [RuleState(rule, AlertingRule(rule, group.labels) if rule.alert else None) for rule in group.rules]
        self.seconds = self.at = 0.0

    def evaluate(
        self, storage: Storage, at: int, keep: Keep, restore: bool = False, query_log: QueryLog | None = None
    ) -> None:
        """Evaluate all rules at `at` milliseconds; faults are noted on each rule."""
        begun = time.perf_counter()
        overlaid = Overlaid(storage)
        for state in self.rules:
            started = time.perf_counter()
            try:
                result = self._result(state, overlaid, at, restore, query_log or QueryLog())
                self._keep(state, result, overlaid, at - self.offset, keep)
                state.health, state.error = "ok", ""
            except (PromqlError, RuleError) as error:
                self._keep(state, [], overlaid, at - self.offset, keep)
                state.health, state.error = "err", str(error)
            state.seconds, state.at = time.perf_counter() - started, at / 1000
        self.seconds, self.at = time.perf_counter() - begun, at / 1000

    def end(self, at: int, keep: Keep) -> None:
        """The group is no longer there: its series end."""
        keep([(labels, STALE) for state in self.rules for labels in state.before], at)

    def take_over(self, other: Group) -> None:
        """Go on with the alerts and series of the group that this one replaces."""
        known = {(state.rule.name, state.rule.expr, str(state.rule.labels)): state for state in other.rules}
        for state in self.rules:
            before = known.pop((state.rule.name, state.rule.expr, str(state.rule.labels)), None)
            if before is None:
                continue
            state.before = before.before
            if state.alerting is not None and before.alerting is not None:
                state.alerting.active = before.alerting.active

    def _result(self, state: RuleState, storage: Storage, at: int, restore: bool, query_log: QueryLog) -> Result:
        moment = at - self.offset
        result = self._asked(storage, state.rule.expr, moment, query_log)
        if state.alerting is None:
            return self._recorded(state.rule, result)

        def fill(labels: Mapping[str, str], value: float) -> Filling:
            around = self._around
            return Filling(labels, value, around.external_labels, around.external_url, queried(storage, moment))

        # Asked before, so that nobody sees an alert that seems to begin now.
        remembered = _remembered(state.rule, storage, at) if restore and state.rule.for_ else None
        return state.alerting.evaluate(result, at / 1000, fill, self.group.limit, remembered)

    def _asked(self, storage: Storage, query: str, moment: int, query_log: QueryLog) -> Result:
        asker, grid = RuleGroupOf(self.file, self.group.name), Grid(moment, moment, 0)
        try:
            value = evaluate(storage, query, grid, is_range=False)
        except PromqlError as error:
            query_log.add(asker, query, grid, error=str(error))
            raise
        query_log.add(asker, query, grid, value.statistics)
        return _samples(value)

    def _recorded(self, rule: Rule, result: Result) -> Result:
        labels = {**self.group.labels, **rule.labels, NAME: rule.record}
        made = [(one.setting(labels), value) for one, value in result]
        if len({one for one, _ in made}) != len(made):
            raise RuleError(f"{SAME_LABELS} after applying rule labels")
        if self.group.limit and len(made) > self.group.limit:
            raise RuleError(f"exceeded limit of {self.group.limit} with {len(made)} series")
        return made

    def _keep(self, state: RuleState, result: Result, overlaid: Overlaid, at: int, keep: Keep) -> None:
        now = {labels for labels, _ in result}
        ended = [(labels, STALE) for labels in state.before - now]
        state.before = now
        if result or ended:
            overlaid.add([*result, *ended], at)
            keep([*result, *ended], at)


def instant(storage: Storage, query: str, at: int) -> Result:
    """The value of a query at one time. Raises `PromqlError`."""
    return _samples(evaluate(storage, query, Grid(at, at, 0), is_range=False))


def _samples(value: Value) -> Result:
    if value.kind == "scalar":
        assert value.scalars is not None
        return [(EMPTY, float(value.scalars[0]))]
    if value.matrix is None:
        return []
    matrix = value.matrix
    cells = repeat(None) if matrix.histograms is None else matrix.histograms[:, 0]
    numbers = zip(matrix.labels, matrix.values[:, 0].tolist(), cells, strict=False)
    return [(labels, number if cell is None else cell) for labels, number, cell in numbers]


def queried(storage: Storage, at: int) -> Callable[[str], list[Sample]]:
    """The `query` of a template."""

    def query(text: str) -> list[Sample]:
        try:
            return samples_of(instant(storage, text, at))
        except PromqlError as error:
            raise TemplateError(str(error)) from None

    return query


_OUTAGE = 3_600_000


def _remembered(rule: Rule, storage: Storage, at: int) -> Remembered:
    """Since when alerts were active before this process began, as the store has it."""
    matcher = (Matcher(NAME, "=", "ALERTS_FOR_STATE"), Matcher("alertname", "=", rule.alert))
    found = storage.select(matcher, at - _OUTAGE, at - 1)
    remembered = {}
    for row, labels in enumerate(found.labels):
        last = int(found.offsets[row + 1]) - 1
        since = float(found.values[last])
        if since == since:
            alert = labels_of({name: text for name, text in labels.pairs if name != NAME})
            remembered[alert] = since, int(found.times[last]) / 1000
    return remembered
