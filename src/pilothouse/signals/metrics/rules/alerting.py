"""Alerts: pending, firing, resolved, as Prometheus' rules/alerting.go has it. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pilothouse.signals.metrics.promql.histogram import Histogram
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.matrix import SAME_LABELS
from pilothouse.signals.metrics.rules.files import Rule
from pilothouse.signals.metrics.rules.template_functions import Sample
from pilothouse.signals.metrics.rules.template_parsing import TemplateError
from pilothouse.signals.metrics.rules.templating import Filling

ALERTS, FOR_STATE = "ALERTS", "ALERTS_FOR_STATE"
_KEPT_RESOLVED = 900.0
RESEND_AFTER = 60.0

State = Literal["inactive", "pending", "firing"]
Fill = Callable[[Mapping[str, str], float], Filling]
Result = list[tuple[Labels, float | Histogram]]
"""What a query found. To an alert and to a template a native histogram is 0, as it is to Prometheus."""


class RuleError(Exception):
    """A rule's result cannot be used."""


@dataclass(slots=True)
class Alert:
    """One alert, by its labels."""

    labels: Labels
    annotations: dict[str, str]
    value: float
    active_at: float
    state: State = "pending"
    fired_at: float = 0.0
    resolved_at: float = 0.0
    last_sent_at: float = 0.0
    valid_until: float = 0.0
    keep_firing_since: float = 0.0

    def needs_sending(self, at: float) -> bool:
        """Whether Alertmanagers are to be told now."""
        if self.state == "pending":
            return False
        return self.resolved_at > self.last_sent_at or self.last_sent_at + RESEND_AFTER < at


Remembered = Mapping[Labels, tuple[float, float]]
"""Of alerts of an earlier process: since when they were active, and when that was last said."""

_GRACE = 600.0


@dataclass(slots=True)
class AlertingRule:
    """A rule and its alerts; `group_labels` are below its own."""

    rule: Rule
    group_labels: Mapping[str, str] = field(default_factory=dict)
    active: dict[Labels, Alert] = field(default_factory=dict)

    def evaluate(
        self, result: Result, at: float, fill: Fill, limit: int = 0, remembered: Remembered | None = None
    ) -> Result:
        """Bring the alerts up to date; the series `ALERTS` and `ALERTS_FOR_STATE`. Raises `RuleError`.

        An alert that is `remembered` goes on where it was.
        """
        found: dict[Labels, Alert] = {}
        for labels, value in result:
            number = _number(value)
            alert = self._alert(labels, number, at, fill(labels.map, number))
            if alert.labels in found:
                raise RuleError(f"{SAME_LABELS} after applying alert labels")
            found[alert.labels] = alert
        for labels, alert in found.items():
            known = self.active.get(labels)
            if known is not None and known.state != "inactive":
                known.value, known.annotations = alert.value, alert.annotations
            else:
                if remembered and labels in remembered:
                    self._restore(alert, *remembered[labels])
                self.active[labels] = alert
        told: Result = []
        alive = 0
        for labels, alert in list(self.active.items()):
            if labels in found:
                alert.keep_firing_since = 0.0
            elif not self._keeps_firing(labels, alert, at):
                continue
            alive += 1
            if alert.state == "pending" and at - alert.active_at >= self.rule.for_ / 1000:
                alert.state, alert.fired_at = "firing", at
            told += self._series(alert)
        if limit and alive > limit:
            self.active = {}
            raise RuleError(f"exceeded limit of {limit} with {alive} alerts")
        return told

    def _alert(self, labels: Labels, value: float, at: float, filling: Filling) -> Alert:
        made = {name: text for name, text in labels.map.items() if name != NAME}
        for name, text in {**self.group_labels, **self.rule.labels}.items():
            made[name] = _filled(filling, text)
        made["alertname"] = self.rule.alert
        annotations = {name: _filled(filling, text) for name, text in self.rule.annotations.items()}
        return Alert(labels_of(made), annotations, value, at)

    def _keeps_firing(self, labels: Labels, alert: Alert, at: float) -> bool:
        """For an alert whose condition no longer holds: whether it fires on; if not, it is resolved or forgotten."""
        keeps = False
        if alert.state == "firing" and self.rule.keep_firing_for:
            alert.keep_firing_since = alert.keep_firing_since or at
            keeps = at - alert.keep_firing_since < self.rule.keep_firing_for / 1000
        if alert.state == "pending" or (alert.resolved_at and at - alert.resolved_at > _KEPT_RESOLVED):
            del self.active[labels]
        if alert.state != "inactive" and not keeps:
            alert.state, alert.resolved_at = "inactive", at
        return keeps

    def _series(self, alert: Alert) -> Result:
        return [
            (alert.labels.setting({NAME: ALERTS, "alertstate": alert.state}), 1.0),
            (alert.labels.setting({NAME: FOR_STATE}), float(int(alert.active_at))),
        ]

    def _restore(self, alert: Alert, active_at: float, last_seen: float) -> None:
        """Go on with an alert that was active since `active_at` and seen at `last_seen`, by an earlier process.

        What did not fire yet waits for the rest of its time; where that is a long one, for ten minutes at least, so
        that what a restart alone has brought about is over before anybody is told.
        """
        at, hold = alert.active_at, self.rule.for_ / 1000
        remaining = hold - (last_seen - active_at)
        if remaining <= 0:
            alert.active_at = active_at
        elif remaining < _GRACE <= hold:
            alert.active_at = at + _GRACE - hold
        else:
            alert.active_at = active_at + (at - last_seen)

    @property
    def alerts(self) -> list[Alert]:
        """Those that are pending or firing."""
        return [alert for alert in self.active.values() if alert.state != "inactive"]

    @property
    def state(self) -> State:
        """The most urgent state of its alerts."""
        states = {alert.state for alert in self.alerts}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"

    def to_send(self, at: float, interval: float) -> list[Alert]:
        """The alerts that Alertmanagers are to be told of now."""
        found = [alert for alert in self.active.values() if alert.needs_sending(at)]
        for alert in found:
            alert.last_sent_at = at
            alert.valid_until = at + 4 * max(interval, RESEND_AFTER)
        return found


def _filled(filling: Filling, text: str) -> str:
    try:
        return filling.fill(text)
    except TemplateError as error:
        return f"<error expanding template: {error}>"


def samples_of(result: Result) -> list[Sample]:
    """The result of a query in a template."""
    return [Sample(labels.map, _number(value)) for labels, value in result]


def _number(value: float | Histogram) -> float:
    return 0.0 if isinstance(value, Histogram) else value
