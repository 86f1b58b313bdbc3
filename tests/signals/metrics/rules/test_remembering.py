"""An alert that an earlier process had goes on where it was; the times are as Prometheus restores them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.rules.alerting import AlertingRule
from pilothouse.signals.metrics.rules.files import Rule
from pilothouse.signals.metrics.rules.templating import Filling

_HOUR = 3600.0


def _fill(labels: Mapping[str, str], value: float) -> Filling:
    return Filling(labels, value, {}, "", lambda text: [])


@pytest.mark.parametrize(
    ("hold", "since", "seen", "at", "restored"),
    [
        (2.0, 100.0, 150.0, 200.0, 100.0),  # it had fired
        (2.0, 100.0, 101.0, 200.0, 199.0),  # a second is left of a short time
        (_HOUR, 0.0, 1000.0, 1100.0, 100.0),  # what was down is not counted
        (_HOUR, 0.0, 3500.0, 3600.0, 600.0),  # ten minutes are left at least
    ],
)
def test_it_begins_where_it_was(hold: float, since: float, seen: float, at: float, restored: float) -> None:
    rule = AlertingRule(Rule.model_validate({"alert": "Down", "expr": "up == 0", "for": f"{hold:.0f}s"}))
    instance, down = labels_of({"instance": "a"}), labels_of({"instance": "a", "alertname": "Down"})
    rule.evaluate([(instance, 0.0)], at, _fill, remembered={down: (since, seen)})
    (alert,) = rule.alerts
    assert alert.active_at == restored
    assert alert.state == ("firing" if at - restored >= hold else "pending")
