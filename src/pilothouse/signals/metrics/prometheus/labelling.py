"""The label sets of series, kept in memory so that each is put together once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from pilothouse.signals.metrics.prometheus.metric import PROMETHEUS_SCOPE
from pilothouse.signals.metrics.prometheus.naming import attribute_labels, target_labels
from pilothouse.signals.metrics.promql.labels import Labels, labels_of
from pilothouse.signals.metrics.promql.matcher import NAME

if TYPE_CHECKING:
    from pilothouse.engine import Budget, Engine

_KEPT = 500_000
_MOST_LISTED = 20_000


class Labelling:
    """Labels by the number of a series. May be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._labels: OrderedDict[int, Labels] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, numbers: list[int], budget: Budget | None) -> dict[int, Labels]:
        """The labels of series, for OpenTelemetry's without the name."""
        with self._lock:
            known = {number: self._labels[number] for number in numbers if number in self._labels}
        missing = [number for number in numbers if number not in known]
        if not missing:
            return known
        read = self._read(missing, budget)
        with self._lock:
            self._labels.update(read)
            while len(self._labels) > _KEPT:
                self._labels.popitem(last=False)
        return known | read

    def _read(self, numbers: list[int], budget: Budget | None) -> dict[int, Labels]:
        found: dict[int, Labels] = {}
        for place in range(0, len(numbers), _MOST_LISTED):
            table = self._engine.query(
                f"""SELECT s.series AS series, s.name AS name, mapKeys(s.attributes) AS keys,
                           mapValues(s.attributes) AS texts, s.scope_name AS scope, s.scope_version AS version,
                           if(s.scope_name = '{PROMETHEUS_SCOPE}', map(), r.attributes) AS resource
                    FROM (
                        SELECT series, name, identity, any(attributes) AS attributes, any(scope_name) AS scope_name,
                               any(scope_version) AS scope_version
                        FROM series WHERE series IN {{numbers:Array(UInt64)}} GROUP BY series, name, identity
                    ) AS s
                    LEFT JOIN (SELECT identity, any(attributes) AS attributes FROM resources GROUP BY identity) AS r
                    USING identity""",
                {"numbers": numbers[place : place + _MOST_LISTED]},
                budget,
            )
            for row in table.to_pylist():
                found[row["series"]] = _labels(row)
        return found


def _labels(row: dict[str, Any]) -> Labels:
    attributes = dict(zip(row["keys"], row["texts"], strict=True))
    if row["scope"] == PROMETHEUS_SCOPE:
        return labels_of({**attributes, NAME: row["name"]})
    labels = attribute_labels(attributes) | target_labels(dict(row["resource"] or ()))
    if row["scope"]:
        labels |= {"otel_scope_name": row["scope"], "otel_scope_version": row["version"]}
    return labels_of(labels)
